#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: sbom.py BUILD BINARY VERSION

An SPDX 2.3 document of what is in a static acceptwatch: each Debian package of which the linker
took an archive or a start file (BUILD/acceptwatch.map), or the compiler a header (ninja's
dependencies). One whose licence is not known here is an error, so that none is left out.
"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys

# By source package.
LICENCES = {
    "cli11": "BSD-3-Clause",
    "elfutils": "GPL-2.0-or-later OR LGPL-3.0-or-later",
    "fmtlib": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libbpf": "LGPL-2.1-only OR BSD-2-Clause",
    "libcap2": "BSD-3-Clause OR GPL-2.0-only",
    "libseccomp": "LGPL-2.1-only",
    "linux": "GPL-2.0-only WITH Linux-syscall-note",
    "rapidjson": "MIT",
    "tl-expected": "CC0-1.0",
    "zlib": "Zlib",
}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked(build):
    with open(os.path.join(build, "acceptwatch.map"), encoding="utf-8") as lines:
        paths = {line.split(maxsplit=1)[1].strip() for line in lines if line.startswith("LOAD ")}
    return {os.path.realpath(path) for path in paths if path.startswith("/usr/")}


def included(build):
    paths = {line.strip() for line in output_of("ninja", "-C", build, "-t", "deps").splitlines()
             if line.startswith(" ")}
    return {os.path.realpath(path) for path in paths if path.startswith("/usr/")}


def packages_of(paths):
    """The name, version and source package of each package that has one of the files."""
    owners = {line.split(":")[0] for line in output_of("dpkg", "-S", *sorted(paths)).splitlines()
              if not line.startswith("diversion ")}
    form = "${Package}\t${source:Package}\t${Version}\n"
    return sorted(tuple(line.split("\t"))
                  for line in output_of("dpkg-query", "-W", "-f", form, *sorted(owners)).splitlines())


def package(name, version, licence, **more):
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name,
            "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def debian(name, source, version):
    if source not in LICENCES:
        sys.exit(f"sbom: the licence of {source} is not known: add it to packaging/sbom.py and THIRD-PARTY.md")
    locator = f"pkg:deb/debian/{name}@{version}"
    return package(name, version, LICENCES[source], sourceInfo=f"Debian source package {source}",
                   externalRefs=[{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                  "referenceLocator": locator}])


def main(build, binary, version):
    with open(binary, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    parts = [debian(*one) for one in packages_of(linked(build) | included(build))]
    whole = package("acceptwatch", version, "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)",
                    checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
                    primaryPackagePurpose="APPLICATION")
    made = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"acceptwatch-{version}",
        "documentNamespace": f"urn:acceptwatch:spdx:{version}:{digest}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: acceptwatch/packaging/sbom.py"]},
        "packages": [whole] + parts,
        "relationships":
            [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
              "relatedSpdxElement": whole["SPDXID"]}] +
            [{"spdxElementId": whole["SPDXID"], "relationshipType": "CONTAINS",
              "relatedSpdxElement": part["SPDXID"]} for part in parts],
    }, sys.stdout, indent=1)
    print()


main(*sys.argv[1:])
