# SPDX-License-Identifier: MIT OR Apache-2.0

from spack_repo.builtin.build_systems.makefile import MakefilePackage

from spack.package import *


class Fripp(MakefilePackage):
    """A StatsD client library for C programs: no call waits for the network,
    and what is lost is counted."""

    homepage = "https://fripp.invalid/"
    # the maintainers set both, and the checksum of the release
    url = "https://fripp.invalid/releases/fripp-0.2.0.tar.xz"

    license("MIT OR Apache-2.0")

    version("0.2.0", sha256="0" * 64)

    variant("command", default=False, description="Build the command fripp, too")

    depends_on("c", type="build")
    depends_on("rust@1.85:", type="build")
    depends_on("rust@1.88:", type="build", when="+command")
    depends_on("gmake", type="build")

    @property
    def where(self):
        return [f"PREFIX={self.prefix}", f"LIBDIR={self.prefix.lib}"]

    def build(self, spec, prefix):
        make("V=1", "all" if "+command" in spec else "lib", *self.where)

    def install(self, spec, prefix):
        make("V=1", "install" if "+command" in spec else "install-lib", *self.where)

    def check(self):
        make("check-c")
