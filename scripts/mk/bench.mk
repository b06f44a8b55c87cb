# Speed, and instructions of each path.

.PHONY: bench

# FRIPP_BASELINE=FILE  the fripp.c of week 4 as a shared object, to compare
# BENCH_ROUNDS, BENCH_ONLY, BENCH_CALLGRIND, BENCH_JSON: see benches/main.c

BENCH     := $(BUILD)/benches/bench
BENCH_MEM := $(BUILD)/benches/memory
BENCH_SO  := $(BUILD)/benches/libfripp-stripped.so
PEERS     := $(BUILD)/peers/release/libfripp_bench_peers.so
WAKEUPS   := $(BUILD)/benches/wakeups
BENCH_C   := $(filter-out benches/memory.c benches/wakeups.c,$(wildcard benches/*.c))

.PHONY: bench-build bench-peers bench-guard bench-guard-update bench-picture wakeups

##: bench measure speed, compared with what cannot be avoided and with other clients
bench: bench-build bench-peers
	$(Q)FRIPP_PEERS='$(wildcard $(PEERS))' $(BENCH) $(BENCH_MEM) $(BENCH_SO)

bench-build: $(BENCH) $(BENCH_MEM) $(BENCH_SO)

# other clients, from crates.io; the run goes on without them
bench-peers:
	$(say) CARGO 'other clients, to compare'
	$(Q)cd benches/peers && CARGO_TARGET_DIR='$(BUILD)/peers' \
	    $(CARGO) build --release --locked $(quiet) \
	    || echo 'other clients could not be built: they are left out'

$(BENCH): $(BENCH_C) benches/bench.h include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -rdynamic -pthread -o $@ $(BENCH_C) $(LINK) -ldl -lm

# symbols of the C library that one defines oneself are not pedantic
$(BENCH_MEM): benches/memory.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -pthread -o $@ $< $(LINK)

$(BENCH_SO): $(SO)
	$(Q)mkdir -p $(@D)
	$(Q)strip -s -o $@ $<

##: bench-guard check that no path takes more instructions than before
bench-guard: $(BENCH)
	$(Q)benches/guard $(BENCH)

bench-guard-update: $(BENCH)
	$(Q)benches/guard -u $(BENCH)

bench-picture:
	$(Q)benches/picture '$(or $(BENCH_JSON),$(error BENCH_JSON is to name the figures of make bench))' docs/speed.svg

# a process, so many a second; the stand-in is that of Flux 0.88
$(WAKEUPS): benches/wakeups.c c-tests/flux-standin/standin.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -DSTANDIN_0_88 -fPIC -shared -pthread \
	    -Ic-tests/flux-standin -Wl,-soname,libflux-core.so.2 -o $(@D)/libflux-core.so.2 \
	    c-tests/flux-standin/standin.c
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -DSTANDIN_0_88 -pthread \
	    -Iinclude -Ic-tests/flux-standin -o $@ $< $(LINK) \
	    -L$(@D) -l:libflux-core.so.2 -Wl,-rpath,$(abspath $(@D))

##: wakeups measure how often contexts wake up a process, idle and busy
wakeups: $(WAKEUPS)
	$(Q)$(WAKEUPS)
