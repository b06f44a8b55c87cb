# Committed files that are made from others.

.PHONY: header symbols man

# cargo says where it ran build.rs, of a build that is fresh, too
built_header = $$($(CARGO) check --locked --quiet -p fripp --features header $(CARGOFLAGS) \
    --message-format=json-render-diagnostics \
    | sed -n 's|.*"build-script-executed".*"out_dir":"\([^"]*/build/fripp-[0-9a-f]*/[^"]*\)".*|\1/fripp.h|p')

##: header write include/fripp.h from the comments in src/ffi
header:
	$(say) HEADER include/fripp.h
	$(Q)h=$(built_header) && cp "$$h" include/fripp.h

##: symbols write c-tests/exports.txt from the library
symbols: $(SO)
	$(say) SYMBOLS c-tests/exports.txt
	$(Q)scripts/exports $(RELEASE)/libfripp.so >c-tests/exports.txt

##: man write man/ from the comments of the headers and docs/man/pages.md
man:
	$(say) MAN 'docs/man/*.3 docs/man/*.7'
	$(Q)scripts/man
