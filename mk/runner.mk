# The runner and the push sink: one jar for Flink 1.20, 2.2 and 2.3, made by plain javac. The runner is compiled
# against the Table API of 1.20 and the sink against 2.x, whose Sink has only the method that all three call.
# The API jars come from Maven Central by coordinates, once, into the user's cache. RUNNER_API= names a folder that
# holds them already (no network).
RUNNER_JAR := $(BUILD)/sluice-runner.jar
RUNNER_DIR := runtime-image/runner
RUNNER_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sluice/maven-jars
RUNNER_API ?= $(RUNNER_CACHE)
RUNNER_SUMS := $(RUNNER_DIR)/build/flink-api.sha256
RUNNER_ONE := 1.20.0
RUNNER_TWO := 2.3.0
JAVA ?= java
JAVAC ?= javac
# Named lints, so that a newer JDK with new ones still builds it.
JAVAC_FLAGS := --release 11 -encoding UTF-8 -g -Werror -proc:none \
    -Xlint:cast,deprecation,divzero,empty,fallthrough,finally,overrides,rawtypes,removal,static,unchecked,varargs

runner_empty :=
runner_space := $(runner_empty) $(runner_empty)
runner_path = $(subst $(runner_space),:,$(strip $(1)))
RUNNER_CP_ONE := $(call runner_path,$(foreach a,flink-annotations flink-core flink-core-api flink-table-common \
    flink-table-api-java,$(RUNNER_API)/$(a)-$(RUNNER_ONE).jar) $(RUNNER_API)/flink-shaded-jackson-2.14.2-17.0.jar)
RUNNER_CP_TWO := $(call runner_path,$(foreach a,flink-annotations flink-core flink-core-api flink-table-common \
    flink-runtime flink-table-api-java-bridge,$(RUNNER_API)/$(a)-$(RUNNER_TWO).jar))

.PHONY: runner runner-api
runner: $(RUNNER_JAR)
all: $(RUNNER_JAR)

# Fetched into a folder of its own and moved in only when every checksum is right.
runner-api: $(BUILD)/runner/api.ok
RUNNER_HERE := $(wildcard $(subst :, ,$(RUNNER_CP_ONE):$(RUNNER_CP_TWO)))
.PHONY: runner-fetch
$(BUILD)/runner/api.ok: $(RUNNER_SUMS) $(RUNNER_DIR)/build/flink-api.xml \
        $(if $(filter $(words $(RUNNER_HERE)),$(words $(subst :, ,$(RUNNER_CP_ONE):$(RUNNER_CP_TWO)))),,runner-fetch)
	@mkdir -p $(@D)
	@if ! (cd $(RUNNER_API) 2>/dev/null && sha256sum --quiet --status -c $(CURDIR)/$(RUNNER_SUMS)) 2>/dev/null; then \
	    command -v mvn >/dev/null || { echo "The Flink API jars are fetched with Maven: install the package maven" >&2; exit 1; }; \
	    echo " MVN     Flink API jars, 19 MB -> $(RUNNER_API)"; \
	    mkdir -p $(RUNNER_API) && t=$$(mktemp -d $(RUNNER_API)/.fetch-XXXXXX) && trap 'rm -rf "$$t"' EXIT && \
	    mvn -q -B -f $(RUNNER_DIR)/build/flink-api.xml dependency:copy -DoutputDirectory=$$t && \
	    (cd $$t && sha256sum --quiet -c $(CURDIR)/$(RUNNER_SUMS)) && mv -f $$t/*.jar $(RUNNER_API)/ || exit 1; \
	fi
	@touch $@

$(RUNNER_JAR): $(wildcard $(RUNNER_DIR)/core/*.java $(RUNNER_DIR)/sink/*.java $(RUNNER_DIR)/build/*.java \
        $(RUNNER_DIR)/resources/META-INF/services/*) mk/runner.mk $(BUILD)/runner/api.ok
	@command -v $(JAVAC) >/dev/null || { echo "$(JAVAC) is missing (a JRE is not enough): install the package \
	openjdk-17-jdk-headless, or set JAVAC and JAVA" >&2; exit 1; }
	@echo " JAVAC   $@"
	@rm -rf $(BUILD)/runner/classes && mkdir -p $(BUILD)/runner/classes
	@$(JAVAC) $(JAVAC_FLAGS) -d $(BUILD)/runner/classes -cp $(RUNNER_CP_ONE) $(RUNNER_DIR)/core/*.java
	@$(JAVAC) $(JAVAC_FLAGS) -d $(BUILD)/runner/classes -cp $(BUILD)/runner/classes:$(RUNNER_CP_TWO) $(RUNNER_DIR)/sink/*.java
	@$(JAVA) -Xshare:auto -XX:TieredStopAtLevel=1 $(RUNNER_DIR)/build/MakeJar.java $@ $(BUILD)/runner/classes $(RUNNER_DIR)/resources
