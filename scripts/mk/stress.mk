# Long runs: nothing is lost, nobody waits, nothing grows.

.PHONY: check-restarts soak latency

STRESS   = $(BUILD)/stress
TEST_LIB = $(BUILD)/c-tests/libtest.a
CALLS    = 10000000

##: check-restarts a server that goes and comes 100 times: nothing lost, nothing twice
check-restarts: $(STRESS)/restarts
	$(Q)$<

##: soak 16 threads at full speed for SECONDS (60): conserved, and nothing grows
soak: SECONDS = 60
soak: $(STRESS)/soak
	$(Q)SECONDS=$(SECONDS) $<

##: latency the longest of CALLS (10000000) calls of each kind, whatever the server does
latency: $(STRESS)/latency
	$(Q)CALLS=$(CALLS) $<

$(TEST_LIB): $(wildcard c-tests/*.c c-tests/*.h) include/fripp.h $(SO)
	$(Q)$(MAKE) --no-print-directory -C c-tests $@ LIBDIR_BUILT='$(RELEASE)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/c-tests' V='$(V)'

$(STRESS)/%: c-tests/stress/%.c $(TEST_LIB) $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -Ic-tests -D_GNU_SOURCE -rdynamic -pthread -o $@ $< $(TEST_LIB) $(LINK)
