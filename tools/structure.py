"""How a package is built: a picture of who imports whom, and how large things are.

    python tools/structure.py rtaudio -o docs/images/structure.svg

A node is what lies directly in the package, a folder or a module; a line is at least one import. Edges come from ``grimp``, the library
of import-linter. Prints the table of docs/structure.md.
"""

from __future__ import annotations

import argparse
import ast
import math
import sys
from pathlib import Path

import grimp

SIZE, RADIUS = 900, 330


def graph(package: str) -> tuple[list[str], set[tuple[str, str]]]:
    """Nodes, and pairs of who imports whom (imports that only name types left out)."""
    modules = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    nodes = sorted(child.split(".")[1] for child in modules.find_children(package) if not child.endswith("__main__"))
    edges = set()
    for importer in modules.modules - {package}:
        for imported in modules.find_modules_directly_imported_by(importer) - {package}:
            pair = (importer.split(".")[1], imported.split(".")[1])
            if pair[0] != pair[1] and set(pair) <= set(nodes):
                edges.add(pair)
    return nodes, edges


def both_ways(edges: set[tuple[str, str]]) -> int:
    """Pairs that import each other."""
    return sum((b, a) in edges for a, b in edges) // 2


def picture(nodes: list[str], edges: set[tuple[str, str]]) -> str:
    """An SVG: nodes on a circle, imports as lines; red where two import each other."""
    centre = SIZE / 2
    turn = {name: 2 * math.pi * k / len(nodes) - math.pi / 2 for k, name in enumerate(nodes)}
    place = {name: (centre + RADIUS * math.cos(a), centre + RADIUS * math.sin(a)) for name, a in turn.items()}
    font = 20 if len(nodes) < 20 else 13
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="{font}">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="#ffffff"/>',
    ]
    for a, b in sorted(edges):
        (x1, y1), (x2, y2) = place[a], place[b]
        colour = "#d03b3b" if (b, a) in edges else "#4a78b8"
        curve = f"M{x1:.0f} {y1:.0f} Q{centre:.0f} {centre:.0f} {x2:.0f} {y2:.0f}"
        out.append(f'<path d="{curve}" fill="none" stroke="{colour}" stroke-opacity=".55"/>')
    for name, (x, y) in place.items():
        right = math.cos(turn[name]) >= -1e-9
        degrees = math.degrees(turn[name]) + (0 if right else 180)
        anchor, shift = ("start", 8) if right else ("end", -8)
        out.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#1b1f26"/>')
        turned = f"translate({x:.0f} {y:.0f}) rotate({degrees:.1f})"
        out.append(f'<text transform="{turned}" x="{shift}" y="{font / 3:.0f}" text-anchor="{anchor}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def sizes(folder: Path) -> dict[str, str]:
    """The longest function (without its docstring) and file, and how many files the fullest folder has."""
    functions, files, folders = [], [], []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        files.append((text.count("\n"), str(path.relative_to(folder.parent))))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                functions.append((node.end_lineno - first.lineno + 1, f"{node.name} in {path.relative_to(folder.parent)}"))
    for place in {path.parent for path in folder.rglob("*.py")}:
        folders.append((len(list(place.glob("*.py"))), str(place.relative_to(folder.parent))))
    return {
        name: f"{max(found)[0]} ({max(found)[1]})"
        for name, found in (("longest function, lines", functions), ("longest file, lines", files), ("most files in a folder", folders))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw and measure a package.")
    parser.add_argument("package")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    sys.path.insert(0, str(Path.cwd()))
    nodes, edges = graph(args.package)
    if args.output:
        args.output.write_text(picture(nodes, edges), encoding="utf-8")
    rows = {"nodes": str(len(nodes)), "imports between them": str(len(edges)), "pairs that import each other": str(both_ways(edges))}
    for name, value in (rows | sizes(Path(args.package))).items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
