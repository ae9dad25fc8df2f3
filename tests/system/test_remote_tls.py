"""A code location that is served over TLS: certificates of both sides, or one of the server and a token."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import Answer
from location_server import NAME, WITH_TOKEN, WITHOUT_TOKEN, between, check, far_server


class Certificates(NamedTuple):
    """Files of an authority and of both sides."""

    folder: Path

    def of(self, name: str) -> tuple[str, str]:
        """Certificate and key."""
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority `ca` that signed `location` and `control`, and one `other-ca` that signed `stranger`."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for authority, names in (("ca", ("location", "control", "elsewhere")), ("other-ca", ("stranger",))):
        openssl(
            "req",
            "-x509",
            *curve,
            "-keyout",
            f"{authority}.key",
            "-out",
            f"{authority}.pem",
            "-subj",
            f"/CN={authority}",
        )
        for name in names:
            host = "DNS:elsewhere.example" if name == "elsewhere" else "IP:127.0.0.1"
            (folder / "names").write_text(f"subjectAltName={host}\n")
            openssl("req", *curve, "-keyout", f"{name}.key", "-out", "request", "-subj", f"/CN={name}")
            by = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial")
            openssl("x509", "-req", "-in", "request", *by, "-out", f"{name}.pem", "-extfile", "names", "-days", "30")
    return Certificates(folder)


def test_certificates_take_the_place_of_the_token(tmp_path: Path, certificates: Certificates) -> None:
    authority, _ = certificates.of("ca")
    certificate, key = certificates.of("location")
    files = ("--certificate", certificate, "--key", key, "--authority", authority)
    own, own_key = certificates.of("control")
    strange, strange_key = certificates.of("stranger")
    with far_server(tmp_path, *files, environment=WITHOUT_TOKEN) as server:

        def checked(**more: str) -> Answer:
            return check(tmp_path, server.url, WITHOUT_TOKEN, **more)

        good = checked(authority=authority, certificate=own, key=own_key)
        assert (good.code, good.out) == (0, f"{NAME}: ready\n")
        signed_by_another = checked(authority=authority, certificate=strange, key=strange_key)
        assert signed_by_another.code == 1
        not_the_server = checked(authority=certificates.of("other-ca")[0], certificate=own, key=own_key)
        assert not_the_server.code == 1
        assert "certificate verify failed" in not_the_server.err
        with_token = check(tmp_path, server.url, authority=authority)
        assert with_token.code == 1
        without_tls = check(tmp_path, server.url)
        assert without_tls.code == 1
        assert len([line for line in server.lines if "Control plane connected" in line]) == 1


def test_a_certificate_of_another_host_is_not_believed(tmp_path: Path, certificates: Certificates) -> None:
    authority, _ = certificates.of("ca")
    certificate, key = certificates.of("elsewhere")
    with far_server(tmp_path, "--certificate", certificate, "--key", key) as server:
        answer = check(tmp_path, server.url, authority=authority)
        assert answer.code == 1
        assert "127.0.0.1" in answer.err


def test_tls_of_the_server_goes_with_a_token_of_both(tmp_path: Path, certificates: Certificates) -> None:
    authority, _ = certificates.of("ca")
    certificate, key = certificates.of("location")
    with far_server(tmp_path, "--certificate", certificate, "--key", key) as server, between(server.url) as way:
        assert check(tmp_path, way.port, authority=authority).code == 0
        assert NAME.encode() not in b"".join(way.heard)
        wrong = check(
            tmp_path,
            way.port,
            {**WITH_TOKEN, "SEGUE_LOCATION_TOKEN": "another-token-of-good-length"},
            authority=authority,
        )
        assert wrong.code == 1
        assert "token does not match" in wrong.err
