# The pages of the errors (docs/errors) agree with base/codes.def.
.PHONY: lint-errors
lint-errors:
	@tools/errors.py
lint: lint-errors
