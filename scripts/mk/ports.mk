# Other machines and tools, see docs/ports.md.

.PHONY: check-ports

PORTS = gcc clang fortify gnu-ld static aarch64 musl musl-static i686 armhf ppc64le riscv64 s390x

##: check-ports run the C tests with other compilers, static, with musl, for other processors; PORTS="clang musl" runs some
check-ports: $(SO)
	$(Q)MAKE='$(MAKE) --no-print-directory' CARGO='$(CARGO)' RELEASE='$(LIBS)' \
	    scripts/check-ports $(BUILD)/ports $(PORTS)
