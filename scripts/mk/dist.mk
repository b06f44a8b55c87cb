# Release tarballs, see docs/packaging.md.

.PHONY: dist check-dist

DIST = $(BUILD)/dist

##: dist write release tarballs with their crates, checksums and the SBOM to target/dist
dist:
	$(say) DIST '$(DIST)'
	$(Q)rm -rf $(DIST)
	$(Q)CARGO='$(CARGO)' scripts/dist $(VERSION) $(DIST)
	$(Q)CARGO='$(CARGO)' scripts/sbom $(DIST)/fripp-$(VERSION).cdx.json

##: check-dist build, install, use and test the library's tarball without network
check-dist: dist
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' \
	    scripts/check-dist $(DIST)/fripp-lib-$(VERSION).tar.xz $(BUILD)/check-dist

.PHONY: release-check check-release check-bare check-lowest-rust

##: check-bare build the library and run 'make check' on a bare Debian without network (as root; Debian: debootstrap)
check-bare: dist
	$(Q)scripts/check-bare $(VERSION) $(DIST) $(BUILD)/bare

LOWEST_RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p;/^rust-version/q' Cargo.toml)

##: check-lowest-rust check that the library compiles with the lowest Rust (rustup installs it)
check-lowest-rust:
	$(Q)rustup toolchain install --no-self-update --profile minimal $(LOWEST_RUST) $(if $(filter 1,$(V)),,>/dev/null 2>&1)
	$(Q)cargo +$(LOWEST_RUST) check --locked --release -p fripp-capi $(quiet)

# whether release-check finds what is missing
check-release:
	$(Q)scripts/check-release

##: release-check check that this commit can be released: version, changelog, tag, ABI, tarball
release-check:
	$(Q)MAKE='$(MAKE) --no-print-directory' scripts/release-check $(VERSION)
