# The documentation as a site.

.PHONY: site

MDBOOK = mdbook
MDBOOK_MERMAID = mdbook-mermaid

##: site build the documentation site in target/site/book, and check its links (cargo install mdbook mdbook-mermaid)
site:
	$(Q)command -v $(MDBOOK) >/dev/null && command -v $(MDBOOK_MERMAID) >/dev/null \
	    || { echo "make site needs mdBook: cargo install mdbook mdbook-mermaid"; exit 1; }
	$(Q)MDBOOK='$(MDBOOK)' MDBOOK_MERMAID='$(MDBOOK_MERMAID)' scripts/site $(BUILD)/site
