# `make dist`: $(BUILD)/dist/sluice-VERSION-linux-ARCH.tar.gz; the same bytes for the same tree (tests/dist proves it).
DIST_NAME := sluice-$(VERSION)-linux-$(shell uname -m)
DIST_DIR = $(BUILD)/dist/$(DIST_NAME)
DIST_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)

.PHONY: dist
dist:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/dist/build CFLAGS="-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(BUILD)=build" all >&2
	@BUILD=$(BUILD)/dist/build VERSION=$(VERSION) DIST_EPOCH=$(DIST_EPOCH) tools/dist.sh $(BUILD)/dist $(DIST_NAME)
