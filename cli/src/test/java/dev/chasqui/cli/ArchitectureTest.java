package dev.chasqui.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between the packages of all modules. */
class ArchitectureTest {

    private static final DescribedPredicate<JavaClass> OURS = JavaClass.Predicates.resideInAPackage("dev.chasqui..");
    private static final String GENERATED = "dev.chasqui.proto..";
    private static JavaClasses all;

    @BeforeAll
    static void readAllModules() {
        all = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.chasqui");
    }

    @Test
    void everyModuleIsSeen() {
        for (String name : new String[] {"llama", "node.engine", "node.store", "gateway.nodes", "cli", "proto.v1"}) {
            assertThat(all.containPackage("dev.chasqui." + name)).as(name).isTrue();
        }
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.chasqui.(**)").should().beFreeOfCycles().check(all);
    }

    @Test
    void onlyLlamaSeesJna() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.chasqui.llama")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.sun.jna..")
                .check(all);
    }

    @Test
    void theEngineNeedsNothingButTheJdk() {
        classes()
                .that()
                .resideInAPackage("dev.chasqui.node.engine")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "org.jspecify.annotations", "dev.chasqui.node.engine")
                .check(all);
    }

    @Test
    void theStoreKnowsNeitherEngineNorLlama() {
        noClasses()
                .that()
                .resideInAPackage("dev.chasqui.node.store..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.chasqui.node.engine..", "dev.chasqui.llama..", "io.grpc..", GENERATED)
                .check(all);
    }

    @Test
    void theWireStaysAtTheNodesEdge() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.chasqui.llama..",
                        "dev.chasqui.node.engine..",
                        "dev.chasqui.node.runner..",
                        "dev.chasqui.node.model..",
                        "dev.chasqui.node.store..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.grpc..", "com.google.protobuf..", GENERATED)
                .check(all);
    }

    @Test
    void dialectsDoNotSeeEachOther() {
        slices().matching("dev.chasqui.gateway.(openai|anthropic|rest)..")
                .should()
                .notDependOnEachOther()
                .check(all);
    }

    @Test
    void gatewayAndNodeMeetOnTheWireOnly() {
        noClasses()
                .that()
                .resideInAPackage("dev.chasqui.gateway..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.chasqui.node..", "dev.chasqui.llama..")
                .check(all);
        noClasses()
                .that()
                .resideInAnyPackage("dev.chasqui.node..", "dev.chasqui.llama..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.chasqui.gateway..")
                .check(all);
    }

    @Test
    void everyPackageIsNullMarked() {
        for (JavaPackage one : all.getPackage("dev.chasqui").getSubpackagesInTree()) {
            boolean own =
                    one.getClasses().stream().anyMatch(OURS) && !one.getName().startsWith("dev.chasqui.proto");
            if (own) {
                assertThat(one.isAnnotatedWith(NullMarked.class))
                        .as("%s has a @NullMarked package-info", one.getName())
                        .isTrue();
            }
        }
    }
}
