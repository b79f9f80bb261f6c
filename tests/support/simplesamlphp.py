"""A real SimpleSAMLphp on a free port, run by PHP's own server. Everything it knows lies in one folder."""

import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from support.waiting import poll

WWW = Path("/usr/share/simplesamlphp/www")
_CONFIG = """<?php
$config = [
  'baseurlpath' => '{url}/',
  'certdir' => '{folder}/cert/', 'loggingdir' => '{folder}/log/', 'datadir' => '{folder}/data/',
  'tempdir' => '{folder}/tmp', 'metadatadir' => '{folder}/metadata/',
  'attributenamemapdir' => '/etc/simplesamlphp/attributemap/',
  'timezone' => 'UTC', 'secretsalt' => 'a salt of the tests', 'auth.adminpassword' => 'let me administer',
  'admin.checkforupdates' => false, 'trusted.url.domains' => null,
  'logging.level' => SimpleSAML\\Logger::INFO, 'logging.handler' => 'file',
  'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
  'session.cookie.secure' => false, 'session.cookie.samesite' => null, 'session.phpsession.savepath' => '{folder}/sess',
  'store.type' => 'phpsession', 'session.duration' => 28800, 'session.datastore.timeout' => 14400,
  'session.state.timeout' => 3600, 'session.cookie.name' => 'SimpleSAMLSessionID',
  'session.phpsession.cookiename' => 'SimpleSAML', 'session.authtoken.cookiename' => 'SimpleSAMLAuthToken',
  'theme.use' => 'default', 'language.available' => ['en'], 'language.default' => 'en', 'usenewui' => false,
  'metadata.sources' => [['type' => 'flatfile']], 'authproc.idp' => [], 'authproc.sp' => [],
];
"""
_PEOPLE = """<?php
$config = [
  'admin' => ['core:AdminPassword'],
  'people' => ['exampleauth:UserPass',
    'anna:winter harbour' => ['uid' => ['anna'], 'employeeNumber' => ['u-1001'], 'mail' => ['anna@example.org'],
      'displayName' => ['Anna \u00d6z'], 'memberOf' => ['staff', 'token-users']],
    'bob:summer harbour' => ['uid' => ['bob'], 'employeeNumber' => ['u-1002'], 'displayName' => ['Bob'], 'memberOf' => ['guests']],
  ],
];
"""
_HOSTED = """<?php
$metadata['__DYNAMIC:1__'] = [
  'host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'people',
  'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'saml20.sign.response' => true, 'saml20.sign.assertion' => true,
  'NameIDFormat' => '{persistent}',
  'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'employeeNumber', 'Format' => '{persistent}']],
];
"""
_SERVICE = """<?php
$metadata['{entity_id}'] = ['AssertionConsumerService' => '{callback}'{more}];
"""
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def is_installed() -> bool:
    return WWW.is_dir() and shutil.which("php") is not None


class SimpleSamlPhp:
    """One identity provider with two people, `anna` and `bob`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.metadata_url = f"{self.url}/saml2/idp/metadata.php"
        for name in ("config", "metadata", "cert", "log", "data", "tmp", "sess"):
            (folder / name).mkdir(parents=True)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=idp"),
                *("-keyout", str(folder / "cert/idp.key"), "-out", str(folder / "cert/idp.crt")),
            ],
            check=True,
            capture_output=True,
        )
        (folder / "config/config.php").write_text(_CONFIG.format(url=self.url, folder=folder))
        (folder / "config/authsources.php").write_text(_PEOPLE)
        (folder / "metadata/saml20-idp-hosted.php").write_text(_HOSTED.format(persistent=_PERSISTENT))
        (folder / "metadata/saml20-sp-remote.php").write_text("<?php\n")
        self._php: subprocess.Popen[bytes] | None = None

    def start(self) -> "SimpleSamlPhp":
        quiet = ["-d", f"session.save_path={self._folder}/sess", "-d", "error_reporting=0", "-d", "display_errors=0"]
        with (self._folder / "log/php.log").open("wb") as log:
            self._php = subprocess.Popen(
                ["php", *quiet, "-S", self.url.removeprefix("http://"), "-t", str(WWW)],
                env={"SIMPLESAMLPHP_CONFIG_DIR": str(self._folder / "config"), "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=log,
            )
        poll(self._is_up)
        return self

    def knows(self, entity_id: str, callback: str, more: str = "") -> None:
        """Let it send people to a service; `more` is PHP."""
        text = _SERVICE.format(entity_id=entity_id, callback=callback, more=more)
        (self._folder / "metadata/saml20-sp-remote.php").write_text(text)

    def close(self) -> None:
        if self._php is not None:
            self._php.terminate()
            self._php.wait(timeout=10)

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(self.metadata_url, timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False
