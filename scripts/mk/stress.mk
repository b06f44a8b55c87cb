# Long runs: nothing is lost, nobody waits, nothing grows.

.PHONY: check-restarts soak churn latency

STRESS   = $(BUILD)/stress
TEST_LIB = $(BUILD)/c-tests/libtest.a
CALLS    = 10000000

##: check-restarts check that 100 restarts of a server lose nothing and send nothing twice
check-restarts: $(STRESS)/restarts
	$(Q)$<

##: soak run 16 threads at full speed for SECONDS (60): nothing may be lost, and nothing may grow
soak: SECONDS = 60
soak: $(STRESS)/soak
	$(Q)SECONDS=$(SECONDS) $<

##: churn run 8 threads that record, fork, forget, change settings and exit, for SECONDS (60)
churn: SECONDS = 60
churn: $(STRESS)/churn
	$(Q)SECONDS=$(SECONDS) $<

##: latency measure the longest of CALLS (10000000) calls of each kind, with servers of all kinds
latency: $(STRESS)/latency
	$(Q)CALLS=$(CALLS) $<

$(TEST_LIB): $(wildcard c-tests/*.c c-tests/*.h) include/fripp.h $(SO)
	$(Q)$(MAKE) --no-print-directory -C c-tests $@ LIBDIR_BUILT='$(LIBS)' \
	    INCLUDE='$(abspath include)' CC='$(CC)' BUILD='$(BUILD)/c-tests' V='$(V)'

$(STRESS)/%: c-tests/stress/%.c $(TEST_LIB) $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -Ic-tests -D_GNU_SOURCE -rdynamic -pthread -o $@ $< $(TEST_LIB) $(LINK)
