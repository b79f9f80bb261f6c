// Gatepass: behaviour on top of pages that already work without it.

const serverTime = document.querySelector('meta[name="server-time"]')?.content;
const skew = serverTime ? Date.parse(serverTime) - Date.now() : 0;
const now = () => Date.now() + skew;
const DAY = 86_400_000;

const live = document.createElement('p');
live.className = 'vh';
live.setAttribute('role', 'status');
document.body.append(live);
const say = (text) => { live.textContent = ''; setTimeout(() => { live.textContent = text; }, 50); };

async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {                                   // plain http on a local network has no clipboard API
    const box = document.createElement('textarea');
    box.value = text;
    box.className = 'vh';
    near.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  }
}

// <copy-button value="…"><button>…</button></copy-button>, or for="id of the element to copy"
customElements.define('copy-button', class extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector('button');
    const word = button.querySelector('.word');
    const before = word?.textContent;
    button.addEventListener('click', async () => {
      const source = document.getElementById(this.getAttribute('for'));
      await copy(this.getAttribute('value') ?? source.textContent.trim(), this);
      button.focus();
      this.classList.add('copied');
      if (word) word.textContent = 'Copied';
      say('Copied');
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.classList.remove('copied');
        if (word) word.textContent = before;
      }, 2000);
    });
  }
});

// <relative-time><time datetime="…" title="exact">words of the server</time></relative-time>
// unit, its length, and from which distance it is used: days up to 100, as people count them
const STEPS = [
  ['year', 365 * DAY, 700 * DAY], ['month', 30 * DAY, 100 * DAY], ['day', DAY, .98 * DAY],
  ['hour', DAY / 24, 59.5 * 60_000], ['minute', 60_000, 30_000],
];
const counted = new Intl.RelativeTimeFormat('en', { numeric: 'always' });
const named = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
function relative(then) {
  const gap = then - now();
  for (const [unit, size, from] of STEPS) {
    if (Math.abs(gap) >= from) return (unit === 'day' ? named : counted).format(Math.round(gap / size), unit);
  }
  return gap > 0 ? 'in a moment' : 'just now';
}
customElements.define('relative-time', class extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector('time');
    const tell = () => { time.textContent = relative(Date.parse(time.dateTime)); };
    tell();
    this.timer = setInterval(tell, 60_000);
  }
  disconnectedCallback() { clearInterval(this.timer); }
});

// A form that was fetched into the dialog: show it. An answer without one (the session is over, for
// example) is a page of its own: go there.
const sheet = document.getElementById('sheet');
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if (ctx.target !== sheet) return;
  if (!sheet.firstElementChild) {
    location.href = ctx.sourceElement.href;
    return;
  }
  const menu = document.querySelector('.row-menu[open]');
  if (menu) {
    menu.open = false;
    menu.querySelector('summary').focus();     // where the dialog gives the focus back to
  }
  // A click beside it closes what can be opened again without loss.
  const typed = sheet.querySelector('input:not([type="hidden"])');
  sheet.setAttribute('closedby', typed ? 'closerequest' : 'any');
  if (!sheet.open) sheet.showModal();
});
sheet?.addEventListener('close', () => sheet.replaceChildren());

document.addEventListener('click', (event) => {
  const closer = event.target.closest('dialog [data-close]');
  if (closer) { event.preventDefault(); closer.closest('dialog').close(); }
  for (const menu of document.querySelectorAll('.row-menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener('focusout', (event) => {
  const menu = event.target.closest?.('.row-menu[open]');
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && event.target.closest?.('.row-menu[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
});

// <lifetime-field max="365"> around a number of days, quick choices and an <output>
const longDate = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
customElements.define('lifetime-field', class extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector('input');
    const outcome = this.querySelector('output');
    const quick = [...this.querySelectorAll('.quick button')];
    const most = Number(this.getAttribute('max') ?? -1);
    const strong = (text) => Object.assign(document.createElement('strong'), { textContent: text });
    const tell = () => {
      const days = input.value.trim() === '' ? NaN : Number(input.value);
      let wrong = '';
      const least = days === -1 && most === -1 ? -1 : 1;
      if (!Number.isInteger(days) || days < least || days > (most === -1 ? 36_500 : most)) {
        wrong = most === -1 ? 'Must be a whole number from 1 to 36500, or -1 for never.' : `Must be a whole number from 1 to ${most}.`;
      }
      input.setCustomValidity(wrong);
      input.setAttribute('aria-invalid', String(Boolean(wrong)));
      if (wrong) outcome.textContent = wrong;
      else if (days === -1) outcome.replaceChildren(strong('Never expires.'), ' It works until someone deletes it.');
      else {
        const end = new Date(now() + days * DAY);
        outcome.replaceChildren('Stops working on ', strong(longDate.format(end)), ` at ${clock.format(end)} UTC.`);
      }
      outcome.classList.toggle('error', Boolean(wrong));
      for (const button of quick) button.setAttribute('aria-pressed', String(button.value === input.value));
    };
    const told = this.querySelector('.error');          // what the server said of the value it was sent
    input.addEventListener('input', () => { told?.remove(); tell(); });
    for (const button of quick) button.addEventListener('click', () => { input.value = button.value; told?.remove(); tell(); input.focus(); });
    if (!told) tell();
  }
});

// <days-field> around a number of days, where -1 is no maximum, and the word beside it
customElements.define('days-field', class extends HTMLElement {
  connectedCallback() {
    const [input, word] = [this.querySelector('input'), this.querySelector('span')];
    input.addEventListener('input', () => { word.textContent = input.value.trim() === '-1' ? 'No maximum' : 'days'; });
  }
});

// <table-list> around a table: some browsers forget that a table is one once CSS lays it out as cards.
const ROLES = { TABLE: 'table', THEAD: 'rowgroup', TBODY: 'rowgroup', TR: 'row', TD: 'cell' };
customElements.define('table-list', class extends HTMLElement {
  connectedCallback() {
    for (const part of this.querySelectorAll('table, thead, tbody, tr, td, th')) {
      const th = part.scope?.startsWith('row') ? 'rowheader' : 'columnheader';
      if (!part.hasAttribute('role')) part.setAttribute('role', ROLES[part.tagName] ?? th);
    }
  }
});
