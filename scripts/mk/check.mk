# Tests that need nothing but the library.

.PHONY: check check-layers check-rust check-c check-header check-man check-symbols check-docs \
        check-install check-examples check-example-rust lint-man

# a part of 'make check' each; new ones go here
PARTS = check-layers check-rust check-header check-man check-symbols check-version \
        check-dependencies check-docs check-install check-examples \
        check-example-rust check-load check-c check-demo

##: check all tests, of Rust and of C, and those of what is installed
check: all
	$(Q)MAKE='$(MAKE) --no-print-directory' scripts/check $(BUILD)/check $(PARTS)

##: check-layers whether imports in src/ point down the layers, and never in a circle
check-layers:
	$(Q)scripts/check-layers

check-rust:
	$(Q)$(CARGO) test --locked --workspace $(quiet:--quiet=-q) $(CARGOFLAGS)

check-c: $(SO)
	$(Q)$(MAKE) --no-print-directory -C c-tests check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/c-tests' V='$(V)'

check-examples: $(SO)
	$(Q)$(MAKE) --no-print-directory -C examples check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/examples' V='$(V)'

check-example-rust:
	$(Q)$(CARGO) run --locked --quiet $(CARGOFLAGS) --example from_rust 2>/dev/null \
	    | diff examples/from_rust.expected -

check-header:
	$(Q)h=$(built_header) && diff -u include/fripp.h "$$h" || { \
	    echo 'include/fripp.h is not what src/ffi says. To mend it: make header'; exit 1; }

check-man:
	$(Q)scripts/man --check

##: lint-man what mandoc thinks of the manual pages
lint-man:
	$(Q)mandoc -T lint -W style $$(grep -L '^\.so ' docs/man/*.[37])

check-symbols: $(SO)
	$(Q)scripts/check-symbols $(SO) $(SONAME)

# the code blocks of all documents, against what is installed
check-docs: $(SO)
	$(Q)rm -rf $(BUILD)/check/prefix
	$(Q)$(MAKE) --no-print-directory install PREFIX='$(BUILD)/check/prefix' \
	    DESTDIR= LIBDIR='$(BUILD)/check/prefix/lib' >/dev/null
	$(Q)CC='$(CC)' CXX='$(CXX)' scripts/check-docs $(BUILD)/check/prefix $(BUILD)/check/docs \
	    *.md command/README.md c-tests/README.md examples/*/README.md docs/*.md docs/man/pages.md

check-install: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' CXX='$(CXX)' scripts/check-install
