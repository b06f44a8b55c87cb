# What 'make install' puts where: the library's part. The command's is in
# command.mk.

.PHONY: install install-lib install-doc uninstall uninstall-lib uninstall-doc

HEADERS     = $(wildcard include/*.h include/*.hpp)
CMAKE_FILES = fripp-config.cmake fripp-config-version.cmake
CMAKE_OUT   = $(CMAKE_FILES:%=$(BUILD)/cmake/%)

# paths below the prefix are written with it, so that a package can be moved
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

# libraries have ';' between them for CMake
empty =
FILL = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
    -e 's|@LIBDIR@|$(call below,$(LIBDIR))|' \
    -e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' \
    -e 's|@REAL@|$(REAL)|' -e 's|@SONAME@|$(SONAME)|' \
    -e 's|@MAJOR@|$(firstword $(subst ., ,$(VERSION)))|'

$(PC): packaging/fripp.pc.in Cargo.toml scripts/mk/install.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(FILL) -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|' $< >$@

$(CMAKE_OUT): $(BUILD)/cmake/%: packaging/cmake/%.in Cargo.toml scripts/mk/install.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(FILL) -e 's|@STATIC_LIBS@|$(subst $(empty) $(empty),;,$(STATIC_LIBS))|' \
	    -e "s|@INCLUDE_FROM_LIBDIR@|$$(realpath -ms --relative-to='$(LIBDIR)' '$(INCLUDEDIR)')|" $< >$@

# the prefix may be another one each time
.PHONY: $(PC) $(CMAKE_OUT)

# tell the run-time linker, where it is this machine's and one may
LDCONFIG = if [ -z '$(DESTDIR)' ] && [ "`id -u`" = 0 ]; then ldconfig 2>/dev/null || :; fi

##: install install all to DESTDIR, PREFIX, LIBDIR, INCLUDEDIR; uninstall removes it
install: install-lib install-doc

##: install-lib install the library alone, with headers, manual pages, pkg-config and CMake files
install-lib: $(SO) $(PC) $(CMAKE_OUT)
	$(say) INSTALL '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(LIBDIR)/cmake/fripp' \
	    '$(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -m 755 $(SO) '$(DESTDIR)$(LIBDIR)/$(REAL)'
	$(Q)ln -sf $(REAL) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	$(Q)ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libfripp.so'
	$(Q)install -m 644 $(STATIC) '$(DESTDIR)$(LIBDIR)/libfripp.a'
	$(Q)install -m 644 $(PC) '$(DESTDIR)$(LIBDIR)/pkgconfig/fripp.pc'
	$(Q)install -m 644 $(CMAKE_OUT) '$(DESTDIR)$(LIBDIR)/cmake/fripp'
	$(Q)install -m 644 $(HEADERS) '$(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -d '$(DESTDIR)$(MANDIR)/man3' '$(DESTDIR)$(MANDIR)/man7'
	$(Q)install -m 644 docs/man/*.3 '$(DESTDIR)$(MANDIR)/man3'
	$(Q)install -m 644 docs/man/*.7 '$(DESTDIR)$(MANDIR)/man7'
	$(Q)$(LDCONFIG)

# guides with their pictures, licences, and the sources of the examples
DOCS = $(wildcard *.md LICENSE* docs/*.md docs/*.svg docs/img/*.svg examples/*.c examples/*.rs \
    examples/content-cache/*.[ch] examples/content-cache/*.md)

##: install-doc install guides, examples and licences to DOCDIR (PREFIX/share/doc/fripp)
install-doc:
	$(say) INSTALL '$(DESTDIR)$(DOCDIR)'
	$(Q)for file in $(DOCS); do \
	    install -D -m 644 $$file '$(DESTDIR)$(DOCDIR)'/$$file || exit 1; done

uninstall: uninstall-lib uninstall-doc

uninstall-doc:
	$(Q)cd '$(DESTDIR)$(DOCDIR)' 2>/dev/null && rm -f $(DOCS) && \
	    rmdir docs/img docs examples/content-cache examples '$(DESTDIR)$(DOCDIR)' 2>/dev/null || :

uninstall-lib:
	$(say) REMOVE '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)cd '$(DESTDIR)$(LIBDIR)' 2>/dev/null && rm -f $(REAL) $(SONAME) \
	    libfripp.so libfripp.a pkgconfig/fripp.pc $(CMAKE_FILES:%=cmake/fripp/%) && \
	    rmdir cmake/fripp 2>/dev/null || :
	$(Q)cd '$(DESTDIR)$(INCLUDEDIR)' 2>/dev/null && rm -f $(notdir $(HEADERS)) || :
	$(Q)cd '$(DESTDIR)$(MANDIR)' 2>/dev/null && \
	    rm -f $(patsubst docs/man/%,man3/%,$(wildcard docs/man/*.3)) \
	        $(patsubst docs/man/%,man7/%,$(wildcard docs/man/*.7)) || :
	$(Q)$(LDCONFIG)
