from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.installer import env

VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs")) | st.just(" "), max_size=30)
NAMES = st.from_regex(r"HOMEPORT_[A-Z_]{1,12}", fullmatch=True)


@given(st.dictionaries(NAMES, VALUES.map(str.strip)))
def test_what_is_written_is_read_back(values: dict[str, str]) -> None:
    text = env.merged("", values)
    assert env.parse(text) == values
    assert env.merged(text, values) == text


def test_other_lines_stay_as_they_are() -> None:
    text = "# mine\nHOMEPORT_PORT='9000'\n\nPATH=/x\nHOMEPORT_URL=http://a.example\n"
    assert env.merged(text, {"HOMEPORT_PORT": "9000", "HOMEPORT_URL": "http://b.example", "HOMEPORT_HOST": "::1"}) == (
        "# mine\nHOMEPORT_PORT='9000'\n\nPATH=/x\nHOMEPORT_URL=http://b.example\nHOMEPORT_HOST=::1\n"
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("HOMEPORT_NGINX_TEST=nginx -t", "nginx -t"),
        ('HOMEPORT_NGINX_TEST="nginx -t"', "nginx -t"),
        ("HOMEPORT_NGINX_TEST='nginx \"-t\"'", 'nginx "-t"'),
        ('HOMEPORT_NGINX_TEST="unclosed', "unclosed"),
        ("HOMEPORT_NGINX_TEST=", ""),
    ],
)
def test_as_systemd_reads_it(line: str, value: str) -> None:
    assert env.parse(line) == {"HOMEPORT_NGINX_TEST": value}


def test_secrets_are_not_shown() -> None:
    text = "HOMEPORT_CLOUDFLARE_TOKEN=abc\nHOMEPORT_PORT=1\n"
    assert env.hidden(text, frozenset({"HOMEPORT_CLOUDFLARE_TOKEN"})) == (
        "HOMEPORT_CLOUDFLARE_TOKEN=(not shown)\nHOMEPORT_PORT=1\n"
    )


def test_commands_on_the_host_go_by_what_is_installed(tmp_path: Path) -> None:
    file = tmp_path / "homeport.env"
    assert env.beneath({"A": "1"}, None, file) == {"A": "1"}
    file.write_text("HOMEPORT_DATA=/srv/homeport\nHOMEPORT_PORT=9000\n")
    installed = {"HOMEPORT_DATA": "/srv/homeport", "HOMEPORT_PORT": "9000"}
    assert env.beneath({}, None, file) == installed
    assert env.beneath({"HOMEPORT_PORT": "1"}, "/srv/homeport", file) == {**installed, "HOMEPORT_PORT": "1"}
    assert env.beneath({"A": "1"}, "/tmp/other", file) == {"A": "1"}
    assert env.beneath({"HOMEPORT_DATA": "/tmp/other"}, None, file) == {"HOMEPORT_DATA": "/tmp/other"}
