"""The systemd units are hardened, start commands that exist, and keep to a port and a surface each."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reelbus.roles import Role

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
LARGEST_EXPOSURE = 3.0


def _service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    parser.read(unit)
    return parser["Service"]


def test_every_role_has_a_unit_and_receivers_one_for_each_surface() -> None:
    roles = {_service(unit)["ExecStart"].rpartition(" ")[2] for unit in UNITS}
    assert roles == {role.value for role in Role}
    text = "".join(unit.read_text() for unit in UNITS)
    assert re.findall(r"REELBUS_SURFACE=(\w+)", text) == ["private", "public"]
    assert len(set(re.findall(r"REELBUS_HEALTH_PORT=(\d+)", text))) == len(UNITS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened(unit: Path) -> None:
    service = _service(unit)
    assert service["User"] != "root"
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictNamespaces"):
        assert service[name] == "yes", name
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("strict", "")


def test_systemd_finds_the_units_safe_where_it_is_installed() -> None:
    analyze = shutil.which("systemd-analyze")
    for unit in UNITS if analyze else ():
        done = subprocess.run(
            [str(analyze), "security", "--offline=true", "--no-pager", str(unit)],
            text=True,
            capture_output=True,
            check=False,
        )
        [exposure] = re.findall(r"exposure level for \S+: ([\d.]+)", done.stdout) or ["none told: " + done.stderr]
        assert float(exposure) <= LARGEST_EXPOSURE, unit.name
