"""Write the files that pages include into them anew: python docs/write_includes.py."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
INCLUDED = re.compile(r"(<!-- include (\S+) -->\n```\w+\n)(.*?)(```\n)", re.DOTALL)


def main() -> None:
    """Write every page of the repository that has a `<!-- include FILE -->` before a block of code."""
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")]:
        text = page.read_text()
        written = INCLUDED.sub(lambda found: found[1] + (ROOT / found[2]).read_text() + found[4], text)
        if written != text:
            page.write_text(written)


if __name__ == "__main__":
    main()
