package dev.chasqui.gateway;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.chasqui.gateway");

    @Test
    void dialectsMeetOnlyInTheNodes() {
        for (String dialect : new String[] {"openai", "rest", "access", "nodes"}) {
            ArchRuleDefinition.noClasses()
                    .that()
                    .resideInAPackage("dev.chasqui.gateway." + dialect)
                    .should()
                    .dependOnClassesThat(com.tngtech.archunit.base.DescribedPredicate.describe(
                            "are another part of the gateway",
                            type -> type.getPackageName().startsWith("dev.chasqui.gateway")
                                    && !type.getPackageName().equals("dev.chasqui.gateway." + dialect)
                                    && (!type.getPackageName().equals("dev.chasqui.gateway.nodes")
                                            || dialect.equals("access"))))
                    .check(CLASSES);
        }
    }

    @Test
    void noCycles() {
        slices().matching("dev.chasqui.gateway.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void onlyTheNodesPackageSpeaksGrpc() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.chasqui.gateway.nodes")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.grpc..")
                .check(CLASSES);
    }
}
