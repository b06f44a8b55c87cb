# Tests that need nothing but the library.

.PHONY: check check-rust check-c check-header check-symbols check-readme \
        check-install check-examples

# a part of 'make check' each; new ones go here
PARTS = check-rust check-header check-symbols check-readme check-install \
        check-examples check-c

##: check all tests, of Rust and of C, and those of what is installed
check: all
	$(Q)MAKE='$(MAKE) --no-print-directory' scripts/check $(BUILD)/check $(PARTS)

check-rust:
	$(Q)$(CARGO) test --locked $(quiet:--quiet=-q) $(CARGOFLAGS)

check-c: $(SO)
	$(Q)$(MAKE) --no-print-directory -C c-tests check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/c-tests' V='$(V)'

check-examples: $(SO)
	$(Q)$(MAKE) --no-print-directory -C examples check LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/examples' V='$(V)'

check-header:
	$(Q)h=$(built_header) && diff -u include/fripp.h "$$h" || { \
	    echo 'include/fripp.h is not what src/ffi says. To mend it: make header'; exit 1; }

check-symbols: $(SO)
	$(Q)scripts/check-symbols $(SO) $(SONAME)

# the C examples of README.md compile as they stand
check-readme: $(SO)
	$(Q)rm -rf $(BUILD)/check/readme && mkdir -p $(BUILD)/check/readme
	$(Q)awk -v dir=$(BUILD)/check/readme ' \
	    /^```c$$/ { file = dir "/" ++n ".c"; next } \
	    /^```$$/ { file = "" } file { print >file } END { exit !n }' README.md
	$(Q)for c in $(BUILD)/check/readme/*.c; do \
	    $(CPROG) -Wno-unused-function -o "$${c%.c}" "$$c" $(LINK) && "$${c%.c}" || exit 1; \
	done

check-install: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CC='$(CC)' scripts/check-install
