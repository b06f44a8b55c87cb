# Packages of other systems than Debian, see docs/packaging.md.

.PHONY: rpm check-packaging check-meson check-spack

RPM = $(BUILD)/rpm

##: rpm build RPM packages in target/rpm from the release tarball, and check them with rpmlint (Debian: rpm, rpmlint)
rpm: dist
	$(say) RPM '$(RPM)'
	$(Q)rm -rf $(RPM) && mkdir -p $(RPM)/SOURCES
	$(Q)cp $(DIST)/fripp-$(VERSION).tar.xz $(RPM)/SOURCES
	$(Q)unset MAKEFLAGS MAKEOVERRIDES MFLAGS CARGO_TARGET_DIR && \
	    rpmbuild -ba $(if $(wildcard /etc/debian_version),--nodeps) --define '_topdir $(RPM)' \
	    packaging/rpm/fripp.spec >$(RPM)/log 2>&1 || { tail -40 $(RPM)/log; exit 1; }
	$(Q)rpmlint -r packaging/rpm/rpmlintrc $(RPM)/SRPMS/*.rpm $(RPM)/RPMS/*/*.rpm
	$(Q)ls -l $(RPM)/SRPMS/*.rpm $(RPM)/RPMS/*/*.rpm

##: check-packaging build a program with Meson's subproject, and parse Spack's recipe (Debian: meson, python3)
check-packaging: check-meson check-spack check-version

check-meson:
	$(Q)scripts/check-meson $(BUILD)/check-meson

# by Python: Spack's own audit wants Spack
check-spack:
	$(Q)python3 -c 'import ast; ast.parse (open ("packaging/spack/package.py").read ())'
