# The command, and its pages.

.PHONY: command

COMMAND := $(BUILD)/command/fripp
PAGES   := $(BUILD)/command/pages
COMMAND_RUST := $(RUST) command/Cargo.toml docs/man/pages.md $(shell find command/src -type f)

all: command

##: command build the command fripp, its man pages and completions
command: $(COMMAND) $(PAGES)

$(COMMAND): $(COMMAND_RUST)
	$(say) CARGO 'fripp (a minute, the first time)'
	$(Q)$(REPRODUCIBLE) $(CARGO) build --profile command --locked -p fripp-command $(progress) $(CARGOFLAGS)
	$(Q)touch $@

$(PAGES): $(COMMAND)
	$(Q)rm -rf $@ && $(COMMAND) pages $@

# check.mk, which comes before this file, does not know the variable
lint-man: $(PAGES)

.PHONY: check-command

##: check-command check fripp top under load: 100,000 lines a second on one core, a million names
check-command:
	$(Q)$(CARGO) test --profile command --locked -p fripp-command \
	    $(quiet) $(CARGOFLAGS) --test load -- --ignored --nocapture --test-threads 1

BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR  = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d

.PHONY: install-command uninstall-command

install: install-command
uninstall: uninstall-command

install-command: $(COMMAND) $(PAGES)
	$(say) INSTALL '$(DESTDIR)$(BINDIR)/fripp'
	$(Q)install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)/man1' \
	    '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)' '$(DESTDIR)$(FISHDIR)'
	$(Q)install -m 755 $(COMMAND) '$(DESTDIR)$(BINDIR)/fripp'
	$(Q)install -m 644 $(PAGES)/*.1 '$(DESTDIR)$(MANDIR)/man1'
	$(Q)install -m 644 $(PAGES)/fripp.bash '$(DESTDIR)$(BASHDIR)/fripp'
	$(Q)install -m 644 $(PAGES)/_fripp '$(DESTDIR)$(ZSHDIR)/_fripp'
	$(Q)install -m 644 $(PAGES)/fripp.fish '$(DESTDIR)$(FISHDIR)/fripp.fish'

uninstall-command:
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/fripp' '$(DESTDIR)$(MANDIR)'/man1/fripp*.1 \
	    '$(DESTDIR)$(BASHDIR)/fripp' '$(DESTDIR)$(ZSHDIR)/_fripp' \
	    '$(DESTDIR)$(FISHDIR)/fripp.fish'
