# Whether a report shows what was recorded, see command/report/check.py.

.PHONY: check-report check-uplot

REPORT = $(BUILD)/report
UPLOT  = command/src/report/page/uplot

# of axe-core, which looks for what people cannot read or reach
AXE = 4.14.1

##: check-report compare the page of a recording in Chromium with figures computed by the check
check-report: check-uplot $(COMMAND) $(REPORT)/sender $(REPORT)/python
	$(Q)[ -e $(REPORT)/axe-$(AXE) ] || { rm -rf $(REPORT)/package && cd $(REPORT) && \
	    npm pack --silent axe-core@$(AXE) >/dev/null && tar xf axe-core-$(AXE).tgz && \
	    mv package axe-$(AXE); } || :
	$(Q)PYTHONPATH=$(REPORT)/python python3 command/report/check.py $(if $(PICTURES),--pictures '$(PICTURES)') \
	    --axe $(REPORT)/axe-$(AXE) $(patsubst %,--recording '%',$(RECORDINGS)) \
	    $(REPORT)/work $(COMMAND) $(REPORT)/sender 6

# the files of uPlot here are those of its package of that version
check-uplot:
	$(Q)rm -rf $(REPORT)/uplot && mkdir -p $(REPORT)/uplot
	$(Q)version=`sed -n '1s/.*(v\(.*\)).*/\1/p' $(UPLOT)/uPlot.iife.min.js` && \
	    cd $(REPORT)/uplot && npm pack --silent "uplot@$$version" >/dev/null && tar xf uplot-*.tgz
	$(Q)cmp $(UPLOT)/uPlot.iife.min.js $(REPORT)/uplot/package/dist/uPlot.iife.min.js
	$(Q)cmp $(UPLOT)/uPlot.min.css $(REPORT)/uplot/package/dist/uPlot.min.css
	$(Q)cmp $(UPLOT)/LICENSE $(REPORT)/uplot/package/LICENSE

$(REPORT)/sender: command/report/sender.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -lm

$(REPORT)/python:
	$(say) PIP 'selenium lz4'
	$(Q)pip3 install --quiet --disable-pip-version-check --target $@ selenium lz4 \
	    || { rm -rf $@; exit 1; }
