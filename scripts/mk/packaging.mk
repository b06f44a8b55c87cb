# Packages of other systems than Debian, see docs/packaging.md.

.PHONY: rpm check-packaging check-meson check-recipes

RPM = $(BUILD)/rpm

# Debian's rpm knows no packages to build with, and its script that compresses
# manual pages is written for bash, and started by sh
RPM_DEBIAN = --nodeps --define "__os_install_post \
    {$$(rpm --eval %__os_install_post | sed 's|[^ ]*/brp-compress|bash &|')}"

##: rpm build RPM packages in target/rpm from the release tarball, and check them with rpmlint (Debian: rpm, rpmlint)
rpm: dist
	$(say) RPM '$(RPM)'
	$(Q)rm -rf $(RPM) && mkdir -p $(RPM)/SOURCES
	$(Q)cp $(DIST)/fripp-$(VERSION).tar.xz $(RPM)/SOURCES
	$(Q)unset MAKEFLAGS MAKEOVERRIDES MFLAGS CARGO_TARGET_DIR && \
	    rpmbuild -ba $(if $(wildcard /etc/debian_version),$(RPM_DEBIAN)) --define '_topdir $(RPM)' \
	    packaging/rpm/fripp.spec >$(RPM)/log 2>&1 || { tail -40 $(RPM)/log; exit 1; }
	$(Q)rpmlint -r packaging/rpm/rpmlintrc packaging/rpm/fripp.spec \
	    $(RPM)/SRPMS/*.rpm $(RPM)/RPMS/*/*.rpm
	$(Q)ls -l $(RPM)/SRPMS/*.rpm $(RPM)/RPMS/*/*.rpm

##: check-packaging build a program with Meson's subproject, and parse the recipes of Spack and EasyBuild (Debian: meson, python3)
check-packaging: check-meson check-recipes check-version

check-meson:
	$(Q)scripts/check-meson $(BUILD)/check-meson

# by Python, which both are written in; docs/packaging.md says what Spack and
# EasyBuild themselves said
check-recipes:
	$(Q)python3 -c 'import ast, sys; [ast.parse (open (f).read (), f) for f in sys.argv[1:]]' \
	    packaging/spack/package.py packaging/easybuild/*.eb
