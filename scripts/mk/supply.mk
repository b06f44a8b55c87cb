# What the library is made of.

.PHONY: check-reproducible check-dependencies check-deny sbom sizes

##: check-reproducible check that builds in two folders have the same bytes
check-reproducible: all
	$(Q)MAKE='$(MAKE) --no-print-directory' scripts/check-reproducible \
	    $(BUILD)/reproducible lib/libfripp.so lib/libfripp.a command/fripp

##: check-dependencies check that each crate has its reason in docs/dependencies.md
check-dependencies:
	$(Q)CARGO='$(CARGO)' scripts/check-dependencies

# it is built once, in some minutes
CARGO_DENY = $(BUILD)/tools/bin/cargo-deny
$(CARGO_DENY):
	$(say) CARGO 'cargo-deny (some minutes, once)'
	$(Q)$(CARGO) install --locked --debug --root $(BUILD)/tools \
	    --target-dir $(BUILD)/tools/build $(quiet) cargo-deny@0.20.2

##: check-deny check licences, bans and sources of all crates, with cargo-deny
check-deny: $(CARGO_DENY)
	$(Q)$(CARGO_DENY) check licenses bans sources

##: sbom write target/fripp.cdx.json, the SBOM of the library in CycloneDX
sbom:
	$(say) SBOM '$(BUILD)/fripp.cdx.json'
	$(Q)CARGO='$(CARGO)' scripts/sbom $(BUILD)/fripp.cdx.json
	$(Q)scripts/check-sbom $(BUILD)/fripp.cdx.json $(BUILD)/tools/sbom

##: sizes show the size of the library by crate
sizes:
	$(Q)CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
	    CARGO_TARGET_DIR=$(BUILD)/sizes $(LIBRARY) $(quiet)
	$(Q)scripts/sizes $(BUILD)/sizes/release/libfripp.so
