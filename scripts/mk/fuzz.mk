# Fuzzing, see docs/fuzzing.md.

.PHONY: fuzz fuzz-build fuzz-corpus fuzz-coverage

TARGETS  = names prefixes tags uris splitter numbers calls lines recordings

HOST    := $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_BIN = $(BUILD)/fuzz/$(HOST)/release
FUZZ_NEW = $(BUILD)/fuzz/corpus

##: fuzz run each target of TARGETS for SECONDS, from its corpus
fuzz: SECONDS = 10
fuzz: fuzz-build
	$(Q)fuzz/run '$(FUZZ_BIN)' '$(FUZZ_NEW)' $(SECONDS) $(TARGETS)

fuzz-build:
	$(say) CARGO 'fuzz targets'
	$(Q)CARGO_TARGET_DIR='$(BUILD)/fuzz' RUSTC_WRAPPER='$(abspath fuzz/instrument)' \
	    RUSTFLAGS='--cfg fuzzing' $(CARGO) build --release --locked \
	    --manifest-path fuzz/Cargo.toml --target $(HOST) --bins $(quiet)

##: fuzz-corpus make the corpora again, as small as possible, with what 'fuzz' found
fuzz-corpus: fuzz-build
	$(Q)fuzz/minimize '$(FUZZ_BIN)' '$(FUZZ_NEW)' $(TARGETS)

##: fuzz-coverage measure which lines of each module the corpora reach (rustup: llvm-tools)
fuzz-coverage:
	$(Q)fuzz/coverage '$(BUILD)/fuzz-coverage' '$(HOST)' $(TARGETS)
