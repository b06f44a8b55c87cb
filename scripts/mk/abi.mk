# The promise of docs/abi.md, held against a committed dump by libabigail
# (Debian: abigail-tools).

.PHONY: check-abi check-version abi

# of x86-64; the layouts on other machines of 64 bits follow from the same lines
ABI = c-tests/abi/$(SONAME).abi

##: check-abi check that programs built before still run: abidiff against abi/
check-abi: $(SO) check-header
	$(Q)CC='$(CC)' scripts/check-abi include/fripp.h $(SO) $(ABI)
	$(Q)CC='$(CC)' scripts/check-abi-mutants include/fripp.h $(SO) $(ABI)

##: abi write abi/ from include/fripp.h
abi:
	$(say) ABI '$(ABI)'
	$(Q)mkdir -p $(BUILD)/check
	$(Q)CC='$(CC)' scripts/abi-stub include/fripp.h $(SONAME) $(BUILD)/check/abi.so
	$(Q)abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
	    --out-file $(ABI) $(BUILD)/check/abi.so
	$(Q)sed -i "s|path='.*/|path='|" $(ABI)

##: check-version check that the version is the same everywhere
check-version: $(SO)
	$(Q)CC='$(CC)' scripts/check-version $(VERSION) $(SO)
