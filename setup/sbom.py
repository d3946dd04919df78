"""Complete an SBOM (CycloneDX), and judge advisories: `python -m setup.sbom FILE` and `… --advisories FILE`."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

VIEWERS = Path(__file__).parent / "viewers" / "packages.txt"


def main(arguments: list[str]) -> int:
    """Add the documentation viewers to an SBOM, or judge pip-audit's answer; give the exit status."""
    match arguments:
        case ["--advisories", answer]:
            return judge(json.loads(Path(answer).read_text()))
        case [file]:
            path = Path(file)
            path.write_text(json.dumps(completed(json.loads(path.read_text()), VIEWERS.read_text()), indent=2) + "\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


def completed(document: dict[str, Any], viewers: str) -> dict[str, Any]:
    """Add the npm packages whose files lie in receiver/viewers, of which each line is name, version, integrity."""
    # What the tool describes a Python package by is its whole entry in the lock.
    packages = [
        {name: value for name, value in each.items() if name != "description"} for each in document["components"]
    ]
    return {**document, "components": [*packages, *map(_component, viewers.splitlines())]}


def judge(answer: dict[str, Any]) -> int:
    """Print each advisory, and each package that was not looked up; 0 for none, 1 for advisories, 3 for not asked."""
    found = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
        for package in answer["dependencies"]
        for each in package.get("vulns", [])
    ]
    unasked = [f"{each['name']}: {each['skip_reason']}" for each in answer["dependencies"] if "skip_reason" in each]
    print("\n".join([*found, *unasked]) or f"no advisory for any of {len(answer['dependencies'])} packages")
    return 1 if found else 3 if unasked else 0


def _component(line: str) -> dict[str, Any]:
    name, version, integrity = line.split()
    digest = base64.b64decode(integrity.removeprefix("sha512-")).hex()
    return {
        "bom-ref": f"viewer-{name}",
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name}@{version}",
        "hashes": [{"alg": "SHA-512", "content": digest}],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
