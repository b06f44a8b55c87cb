# Debian packages.

.PHONY: deb check-deb check-fresh

DEB      = $(BUILD)/deb
DEB_TREE = $(DEB)/fripp-$(VERSION)
DEB_ARCH = $(shell dpkg --print-architecture)
DEBS     = $(DEB)/*_$(VERSION)-*_$(DEB_ARCH).deb

##: deb build Debian packages in target/deb, and check them with lintian (Debian: debhelper, lintian)
deb:
	$(say) DEB '$(DEB)'
	$(Q)rm -rf $(DEB_TREE) $(DEB)/*_$(VERSION)-* && mkdir -p $(DEB_TREE)
	$(Q)$(CARGO) fetch --locked $(quiet)
	$(Q)tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C $(DEB_TREE)
	$(Q)mv $(DEB_TREE)/packaging/debian $(DEB_TREE)/debian
	$(Q)cd $(DEB_TREE) && unset MAKEFLAGS MAKEOVERRIDES MFLAGS && \
	    CARGO_TARGET_DIR=$(DEB)/target DEB_BUILD_OPTIONS=nocheck \
	    dpkg-buildpackage -b -us -uc -d -nc >$(DEB)/log 2>&1 || { tail -40 $(DEB)/log; exit 1; }
	$(Q)lintian --fail-on warning,error --display-info --pedantic $(DEB)/fripp_$(VERSION)-*_$(DEB_ARCH).changes
	$(Q)ls -l $(DEBS)

##: check-deb install, use and remove the packages in a fresh root (as root; Debian: debootstrap)
check-deb: deb
	$(Q)scripts/check-deb $(BUILD)/deb-root $$(ls $(DEBS) | grep -v -e -dbgsym_)

##: check-fresh run the README's commands on a bare Debian, by debootstrap, as root
check-fresh:
	$(Q)scripts/check-fresh $(BUILD)/fresh
