"""What the documentation's site adds to the pages: reference pages made from the code, and llms.txt.

MkDocs calls these functions by their names; see mkdocs.yml.
"""

import re
from pathlib import Path

import reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
_LINK = re.compile(r"\[([^\]\n]*)\]\((\.\./[^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for name, content in reference.pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Show a link that leaves the documentation as the file's path in the repository."""

    def shown(found: re.Match[str]) -> str:
        target = (ROOT / "docs" / page.file.src_uri).parent / found[2].partition("#")[0]
        inside = target.resolve().is_relative_to(ROOT / "docs")
        return found[0] if inside else f"{found[1]} (`{target.resolve().relative_to(ROOT)}` in the repository)"

    return _LINK.sub(shown, markdown)


def on_nav(nav: Navigation, config: MkDocsConfig, **_: object) -> None:
    """Remember the order of the pages, for llms.txt."""
    config.extra["pages"] = list(nav.pages)


def on_post_build(config: MkDocsConfig) -> None:
    """Write llms.txt: every page with its first sentence."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", "## Pages", ""]
    lines += [f"- [{page.title}]({page.file.dest_uri}){_begins(page)}" for page in config.extra["pages"]]
    lines += ["", "## Documents that a service gives", ""]
    lines += [f"- {path}: {what}" for path, what in reference.DOCUMENTS.items()]
    (Path(config.site_dir) / "llms.txt").write_text("\n".join(lines) + "\n")


def _begins(page: Page) -> str:
    """Give the first sentence of a page that begins with prose."""
    prose = next((part for part in (page.markdown or "").split("\n\n") if part and part[0] not in "#<`!-"), "|")
    if prose[0] in "| ":
        return ""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose.replace("\n", " ")).replace("**", "")
    return ": " + re.split(r"(?<=\.)\s", text)[0]
