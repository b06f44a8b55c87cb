# The documentation as a site.

.PHONY: site

MDBOOK = mdbook

##: site build the documentation site in target/site/book, and check its links (cargo install mdbook)
site:
	$(Q)command -v $(MDBOOK) >/dev/null || { echo "make site needs mdBook: cargo install mdbook"; exit 1; }
	$(Q)MDBOOK='$(MDBOOK)' scripts/site $(BUILD)/site
