#!/usr/bin/env python3
"""Makes all packages of one commit in packages/dist/: wheel, npm, MCPB, archive, image, formula, server.json, SBOM, sums.

    python3 packages/build.py [--debug | --program FILE] [--home URL] [--into FOLDER]

Everything holds the same program, built once with the profile that is measured. maturin builds it, and lists in an SBOM what it is made
of; with ziglang beside it, against glibc 2.17, so that it runs on systems of 2014 and later, else against this machine's glibc. `--debug`
takes the profile of tests, which is quick and big; `--program` packs a program that is built already, and makes no wheel. What cannot
be made here is skipped with a line that begins with SKIPPED.

`--home` is the address from which the packages will be had: they name it, and the installer and the formula download from it. Without
it they hold the placeholder of Cargo.toml, and the installer refuses to guess.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
GLIBC = "2.17"

# The platform as Rust, npm and MCPB name it.
SYSTEMS = {
    ("Linux", "x86_64"): ("x86_64-unknown-linux-gnu", "linux", "x64", "linux"),
    ("Linux", "aarch64"): ("aarch64-unknown-linux-gnu", "linux", "arm64", "linux"),
    ("Darwin", "x86_64"): ("x86_64-apple-darwin", "darwin", "x64", "darwin"),
    ("Darwin", "arm64"): ("aarch64-apple-darwin", "darwin", "arm64", "darwin"),
    ("Windows", "AMD64"): ("x86_64-pc-windows-msvc", "win32", "x64", "win32"),
}


def run(*command, **options):
    print("$", *command, flush=True)
    return subprocess.run([str(it) for it in command], check=True, **options)


def said(*command, **options):
    return run(*command, stdout=subprocess.PIPE, text=True, **options).stdout


def skipped(what):
    print("SKIPPED", what, flush=True)


def filled(path, values):
    """A template with its @names@ filled in; one that is left is a mistake."""
    text = (HERE / path).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    left = [it for it in ("@version@", "@home@", "@platform@", "@archives@", "@namespace@") if it in text]
    assert not left, f"{path}: {left} is not filled in"
    return text


def build_wheel(into, triple, debug):
    """The wheel and the program in it; with the SBOM that maturin puts beside it."""
    profile = ["--profile", "dev", "--strip", "true"] if debug else ["--profile", "release"]
    command = [sys.executable, "-m", "maturin", "build", *profile, "--locked", "--out", into]
    if debug:
        command += ["--compatibility", "linux"]
    elif platform.system() == "Linux":
        if subprocess.run([sys.executable, "-m", "ziglang", "version"], capture_output=True).returncode == 0:
            command += ["--zig", "--compatibility", "manylinux2014", "--target", triple]
        else:
            skipped(f"glibc {GLIBC}: ziglang is not installed, so the program needs a glibc as new as this machine's")
            command += ["--compatibility", "linux"]
    run(*command, cwd=HERE / "pypi")
    (wheel,) = into.glob("rolecall-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (program,) = [it for it in names if it.endswith((".data/scripts/rolecall", ".data/scripts/rolecall.exe"))]
        boms = [it for it in names if "/sboms/" in it]
        return archive.read(program), archive.read(boms[0]) if boms else None


def newest_glibc(program):
    """The newest version of glibc that a program asks for, and so the oldest with which it starts; none where nobody can tell."""
    if shutil.which("objdump") is None or platform.system() != "Linux":
        return None
    asked = re.findall(r"\(?GLIBC_([0-9.]+)\)?", said("objdump", "-T", program))
    return max(asked, key=lambda it: [int(part) for part in it.split(".")], default=None)


def executable(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def pack_npm(work, into, program, version, home, system, cpu, suffix):
    """The package that people name, and the one of this platform, which it picks."""
    name = f"rolecall-{system}-{cpu}"
    common = {"version": version, "license": "Apache-2.0", "homepage": home, "repository": {"type": "git", "url": home}}
    own = work / "npm" / name
    executable(own / "bin" / f"rolecall{suffix}", program)
    libc = {"libc": ["glibc"]} if system == "linux" else {}
    described = {"name": name, "description": f"The program of rolecall for {system} {cpu}", "os": [system], "cpu": [cpu], **libc, **common}
    (own / "package.json").write_text(json.dumps(described, indent=2) + "\n")
    main = work / "npm" / "rolecall"
    executable(main / "bin" / "rolecall.js", (HERE / "npm" / "rolecall.js").read_bytes())
    shutil.copy(HERE / "npm" / "README.md", main)
    platforms = sorted({f"rolecall-{it[1]}-{it[2]}" for it in SYSTEMS.values()})
    described = {
        "name": "rolecall",
        "description": "An MCP server through which AI assistants run organizations, with consent a model cannot forge",
        "keywords": ["mcp", "organizations", "access-control", "agents"],
        "bin": {"rolecall": "bin/rolecall.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {it: version for it in platforms},
        **common,
    }
    (main / "package.json").write_text(json.dumps(described, indent=2) + "\n")
    if shutil.which("npm") is None:
        return skipped("npm packages: npm is not here")
    for folder in (own, main):
        run("npm", "pack", "--silent", "--pack-destination", into, cwd=folder)


def pack_bundle(work, into, program, values, suffix):
    """The bundle that Claude Desktop and others install with a click."""
    folder = work / "mcpb"
    executable(folder / "server" / f"rolecall{suffix}", program)
    manifest = filled("mcpb/manifest.json", values)
    if suffix:
        manifest = manifest.replace("server/rolecall", f"server/rolecall{suffix}")
    json.loads(manifest)
    (folder / "manifest.json").write_text(manifest)
    target = into / f"rolecall-{values['version']}-{values['platform']}.mcpb"
    mcpb = shutil.which("mcpb")
    if mcpb is None:
        return skipped("MCPB bundle: mcpb is not here (npm install -g @anthropic-ai/mcpb)")
    run(mcpb, "validate", folder / "manifest.json")
    run(mcpb, "pack", folder, target)


def pack_archive(into, program, version, triple, suffix, man):
    target = into / f"rolecall-{version}-{triple}.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        for name, path in {f"rolecall{suffix}": program, "LICENSE": ROOT / "LICENSE", "README.md": ROOT / "README.md"}.items():
            archive.add(path, name)
        for page in sorted(man.glob("*.1")) if man else []:
            archive.add(page, f"man/{page.name}")
    return target


def libraries(program):
    """The shared libraries of a program, as the machine's loader finds them, and the loader itself."""
    found = []
    for line in said("ldd", program).splitlines():
        words = line.split()
        path = next((it for it in words if it.startswith("/")), None)
        if path:
            found.append(pathlib.Path(path))
    return found


def build_image(work, into, program, version):
    """An image without a base: the program, its libraries, certificates."""
    if shutil.which("buildah") is None or platform.system() != "Linux":
        return skipped("OCI image: buildah is not here")
    root = work / "image" / "root"
    executable(root / "usr/bin/rolecall", program.read_bytes())
    for path in libraries(program):
        executable(root / str(path).lstrip("/"), path.resolve().read_bytes())
    certificates = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if not certificates.is_file():
        return skipped("OCI image: /etc/ssl/certs/ca-certificates.crt is not here")
    (root / "etc/ssl/certs").mkdir(parents=True)
    shutil.copy(certificates, root / "etc/ssl/certs")
    (root / "etc/passwd").write_text("rolecall:x:10001:10001::/data:/nologin\n")
    (root / "etc/group").write_text("rolecall:x:10001:\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    (root / "data").mkdir()
    (root / "data").chmod(0o777 | stat.S_ISVTX)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o777 | stat.S_ISVTX)
    name = f"localhost/rolecall:{version}"
    shutil.copy(HERE / "oci" / "Containerfile", work / "image")
    options = ["--storage-driver", "vfs", "--root", work / "containers", "--runroot", work / "run"]
    run("buildah", *options, "build", "--isolation", "chroot", "--tag", name, work / "image")
    run("buildah", *options, "push", name, f"oci-archive:{into / f'rolecall-{version}-image.tar'}")


def formula(values, into, archive, triple):
    """Homebrew's; archives of other platforms are added where they were made."""
    where = {"linux": "on_linux", "darwin": "on_macos"}
    system = "linux" if "linux" in triple else "darwin"
    chip = "on_intel" if triple.startswith("x86_64") else "on_arm"
    total = hashlib.sha256(archive.read_bytes()).hexdigest()
    address = f"{values['home']}/releases/{values['version']}/{archive.name}"
    block = f'  {where[system]} do\n    {chip} do\n      url "{address}"\n      sha256 "{total}"\n    end\n  end\n'
    (into / "rolecall.rb").write_text(filled("rolecall.rb", {**values, "archives": block}))


def registry_entry(values, into):
    """server.json of the MCP registry, with the variables that accounts are made of."""
    settings = json.loads((HERE / "mcpb/manifest.json").read_text())
    names = settings["server"]["mcp_config"]["env"]
    variables = []
    for name, reference in names.items():
        setting = settings["user_config"][reference.removeprefix("${user_config.").removesuffix("}")]
        described = {"name": name, "description": setting["description"], "isRequired": False, "isSecret": setting.get("sensitive", False)}
        variables.append(described)
    namespace = ".".join(reversed(values["home"].split("://")[1].split("/")[0].split(".")))
    text = filled("server.json", {**values, "namespace": namespace}).replace('"@variables@"', json.dumps(variables))
    entry = json.loads(text)
    assert len(entry["description"]) <= 100 and 3 <= len(entry["name"]) <= 200, entry
    (into / "server.json").write_text(json.dumps(entry, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--debug", action="store_true")
    how.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--home")
    parser.add_argument("--into", type=pathlib.Path, default=HERE / "dist")
    given = parser.parse_args()
    into = given.into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    package = json.loads(said("cargo", "metadata", "--format-version", "1", "--no-deps", "--locked", cwd=ROOT))["packages"]
    package = next(it for it in package if it["name"] == "rolecall")
    version, home = package["version"], (given.home or package["repository"]).rstrip("/")
    triple, system, cpu, bundle = SYSTEMS[platform.system(), platform.machine()]
    suffix = ".exe" if system == "win32" else ""
    values = {"version": version, "home": home, "platform": bundle}
    if home.split("/")[2].endswith(".example"):
        print(f"NOTE there is no --home, so the packages name {home}, which is nowhere", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        if given.program:
            skipped("wheel and SBOM: the program was given")
            content, bom = given.program.read_bytes(), None
        else:
            content, bom = build_wheel(into, triple, given.debug)
        program = executable(work / f"rolecall{suffix}", content)
        print(f"the program has {len(content):,} bytes and needs glibc {newest_glibc(program) or '(unknown)'} or newer", flush=True)
        if bom:
            (into / f"rolecall-{version}.cdx.json").write_bytes(bom)
        elif not given.program:
            skipped("SBOM: this maturin makes none")
        man = work / "man"
        man.mkdir()
        run(program, "man", man)
        archive = pack_archive(into, program, version, triple, suffix, man)
        pack_npm(work, into, content, version, home, system, cpu, suffix)
        pack_bundle(work, into, content, values, suffix)
        build_image(work, into, program, version)
    if not suffix:
        formula(values, into, archive, triple)
    registry_entry(values, into)
    (into / "install.sh").write_text(filled("install.sh", values))
    (into / "install.sh").chmod(0o755)
    sums = [f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}" for it in sorted(into.iterdir())]
    (into / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    for it in sorted(into.iterdir()):
        print(f"{os.path.getsize(it):>12,}  {it.name}")


main()
