#!/usr/bin/env python3
"""Installs the npm packages of the example shop, as its lock file pins them, into a build directory.

    npm_ci.py NODE NPM SOURCE FOLDER

Nothing is done when they are there already. The shop's dependency on our adapter leads to the source tree.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

SHOP = "examples/express-cart"
FILES = ["package.json", "package-lock.json"]
NODE_MAJOR_MIN = 18


def main():
    node, npm, source, folder = sys.argv[1], sys.argv[2], *map(pathlib.Path, sys.argv[3:])
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < NODE_MAJOR_MIN:
        sys.exit(f"npm_ci: Node.js {NODE_MAJOR_MIN} or newer is needed; {node} is {version.strip()}")
    wanted = hashlib.sha256(b"".join((source / SHOP / name).read_bytes() for name in FILES)).hexdigest()
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    shop = folder / SHOP
    shop.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(source / SHOP / name, shop)
    adapters = folder / "adapters"
    if not adapters.is_symlink():
        adapters.symlink_to(source / "adapters")
    # No scripts: packages are to be read by Node, and by nobody else.
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([npm, "ci", "--ignore-scripts", *quiet], cwd=shop, check=True)
    stamp.write_text(wanted)


if __name__ == "__main__":
    main()
