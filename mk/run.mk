# `make run`: packages, build, Flink, the quickstart in both modes (tools/run.sh).
.PHONY: run setup
run:
	@BUILD=$(BUILD) MAKE="$(MAKE)" tools/run.sh
setup:
	@tools/setup.sh install build run test fuzz
