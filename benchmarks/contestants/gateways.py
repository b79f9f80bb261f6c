"""nginx and HAProxy: the limit of an HTTP answer, verification inside a gateway, a gateway that asks a verifier."""

import hashlib
import os
import pwd
from contextlib import ExitStack
from pathlib import Path

from benchmarks.contestants.contestant import NotMeasured, Running, Seed, altered, bearers, require_program
from benchmarks.process import Process, free_target

_CONFIGS = Path(__file__).parent / "configs"
_LUA_MODULE = Path("/usr/share/nginx/modules/ngx_http_lua_module.so")


def return_200(seed: Seed, stack: ExitStack) -> Running:
    """nginx that looks at nothing: the limit of an HTTP answer."""
    target = free_target()
    process = _nginx(seed, stack, "return-200", target, listen=target)
    return Running(target, [process], bearers(seed.tokens), bad=None)


def lua(seed: Seed, stack: ExitStack) -> Running:
    """nginx with a verifier in Lua: SHA-256 by OpenSSL, a look-up in a shared dict, an identity header."""
    if not _LUA_MODULE.exists():
        raise NotMeasured("nginx's Lua module is not installed")
    digests = "".join(f"{hashlib.sha256(token.encode()).hexdigest()} {owner}\n" for token, owner in _owners(seed))
    target = free_target()
    process = _nginx(seed, stack, "lua", target, listen=target, digests=digests)
    return Running(target, [process], bearers(seed.tokens), bad=altered(bearers(seed.tokens)[0]))


def haproxy(seed: Seed, stack: ExitStack) -> Running:
    """HAProxy with a map of SHA-256 digests."""
    program = require_program("haproxy")
    room, target = seed.room("haproxy"), free_target()
    digests = room / "digests.map"
    digests.write_text(
        "".join(f"{hashlib.sha256(token.encode()).hexdigest().upper()} {owner}\n" for token, owner in _owners(seed))
    )
    config = room / "haproxy.cfg"
    config.write_text(_filled("haproxy.cfg", listen=target, digests=str(digests)))
    process = stack.enter_context(Process([program, "-db", "-f", str(config)], log=room / "log")).wait_for(target)
    return Running(target, [process], bearers(seed.tokens), bad=altered(bearers(seed.tokens)[0]))


def auth_request_to_nothing(seed: Seed, stack: ExitStack) -> Running:
    """nginx auth_request that asks another nginx, which looks at nothing."""
    upstream = f"unix:{seed.folder}/nothing.sock"
    asked = _nginx(seed, stack, "return-200", upstream, listen=upstream)
    return _auth_request(seed, stack, Running(upstream, [asked], bearers(seed.tokens), bad=None))


def in_front_of(verifier: Running, seed: Seed, stack: ExitStack) -> Running:
    """nginx auth_request that asks `verifier`, on the same core."""
    return _auth_request(seed, stack, verifier)


def _auth_request(seed: Seed, stack: ExitStack, verifier: Running) -> Running:
    target = free_target()
    gateway = _nginx(seed, stack, "auth-request", target, listen=target, verifier=verifier.target)
    return Running(target, [gateway, *verifier.processes], verifier.authorizations, verifier.bad, path="/orders")


def _nginx(seed: Seed, stack: ExitStack, name: str, target: str, **values: str) -> Process:
    program = require_program("nginx")
    room = seed.room(f"nginx-{name}-{target.rpartition(':')[2].replace('/', '-')}")
    digests = room / "digests"
    digests.write_text(values.pop("digests", ""))
    main = _filled("nginx.conf", room=str(room), user=pwd.getpwuid(os.getuid()).pw_name)
    site = _filled(f"nginx-{name}.conf", digests=str(digests), **values)
    lua_modules = "load_module modules/ndk_http_module.so; load_module modules/ngx_http_lua_module.so;\n"
    config = room / "nginx.conf"
    config.write_text((lua_modules if name == "lua" else "") + main.replace("SITE", site))
    return stack.enter_context(Process([program, "-c", str(config)], log=room / "log")).wait_for(target)


def _filled(name: str, **values: str) -> str:
    text = (_CONFIGS / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _owners(seed: Seed) -> list[tuple[str, str]]:
    """Return each presented token with an owner, and as many others as make up the count of live ones."""
    others = [f"{token[:-6]}{number:06d}" for number, token in enumerate(seed.tokens * 9)]
    return [(token, f"user-{number}@example.com") for number, token in enumerate([*seed.tokens, *others])]
