# The library under sanitizers, valgrind and miri, see docs/sanitizers.md.

.PHONY: check-sanitizers check-miri

SANITIZERS = asan ubsan tsan soak churn-tsan churn-asan memcheck

##: check-sanitizers run the C tests under SANITIZERS, and fail if any reports something
check-sanitizers: SECONDS = 60
check-sanitizers: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CARGO='$(CARGO)' RELEASE='$(LIBS)' \
	    SECONDS=$(SECONDS) scripts/check-sanitizers $(BUILD)/sanitizers $(SANITIZERS)

##: check-miri run the core's tests under miri, which checks memory and threads
check-miri:
	$(Q)CARGO_TARGET_DIR='$(BUILD)/miri' MIRIFLAGS=-Zmiri-disable-isolation \
	    PROPTEST_CASES=8 $(CARGO) +nightly miri test --locked --lib
