# What 'make install' puts where.

.PHONY: install uninstall

# paths below the prefix are written with it, so that a package can be moved
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

$(PC): fripp.pc.in Cargo.toml mk/install.mk
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBDIR@|$(call below,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' fripp.pc.in >$@

# the prefix may be another one each time
.PHONY: $(PC)

# tell the run-time linker, where it is this machine's and one may
LDCONFIG = if [ -z '$(DESTDIR)' ] && [ "`id -u`" = 0 ]; then ldconfig 2>/dev/null || :; fi

##: install to DESTDIR, PREFIX, LIBDIR, INCLUDEDIR; uninstall takes it away again
install: $(SO) $(PC)
	$(say) INSTALL '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -m 755 $(SO) '$(DESTDIR)$(LIBDIR)/$(REAL)'
	$(Q)ln -sf $(REAL) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	$(Q)ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libfripp.so'
	$(Q)install -m 644 $(STATIC) '$(DESTDIR)$(LIBDIR)/libfripp.a'
	$(Q)install -m 644 $(PC) '$(DESTDIR)$(LIBDIR)/pkgconfig/fripp.pc'
	$(Q)install -m 644 include/fripp.h include/fripp-test.h '$(DESTDIR)$(INCLUDEDIR)'
	$(Q)install -d '$(DESTDIR)$(MANDIR)/man3' '$(DESTDIR)$(MANDIR)/man7'
	$(Q)install -m 644 man/*.3 '$(DESTDIR)$(MANDIR)/man3'
	$(Q)install -m 644 man/*.7 '$(DESTDIR)$(MANDIR)/man7'
	$(Q)$(LDCONFIG)

uninstall:
	$(say) REMOVE '$(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)'
	$(Q)cd '$(DESTDIR)$(LIBDIR)' 2>/dev/null && rm -f $(REAL) $(SONAME) \
	    libfripp.so libfripp.a pkgconfig/fripp.pc || :
	$(Q)cd '$(DESTDIR)$(INCLUDEDIR)' 2>/dev/null && rm -f fripp.h fripp-test.h || :
	$(Q)cd '$(DESTDIR)$(MANDIR)' 2>/dev/null && \
	    rm -f $(patsubst man/%,man3/%,$(wildcard man/*.3)) \
	        $(patsubst man/%,man7/%,$(wildcard man/*.7)) || :
	$(Q)$(LDCONFIG)
