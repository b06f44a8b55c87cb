# Committed files that are made from others.

.PHONY: header symbols man

# where cargo ran build.rs, which cargo says of a fresh build, too
built_header = $$($(LIBRARY) --quiet $(CARGOFLAGS) \
    --message-format=json-render-diagnostics \
    | sed -n 's|.*"build-script-executed".*"out_dir":"\([^"]*/build/fripp-[^"]*\)".*|\1/fripp.h|p')

##: header write include/fripp.h from the comments in src/ffi
header:
	$(say) HEADER include/fripp.h
	$(Q)h=$(built_header) && cp "$$h" include/fripp.h

##: symbols write exports.txt from the library
symbols: $(SO)
	$(say) SYMBOLS exports.txt
	$(Q)scripts/exports $(SO) >exports.txt

##: man write man/ from the comments of the headers and man/pages.md
man:
	$(say) MAN 'man/*.3 man/*.7'
	$(Q)scripts/man
