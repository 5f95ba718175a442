package dev.chasqui.gateway;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may know whom. */
class ArchitectureTest {
    private static final String ALL = "dev.chasqui.gateway";
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ALL);

    @ParameterizedTest
    @CsvSource({
        "nodes,''",
        "access,''",
        "requests,nodes",
        "answers,nodes",
        "limits,nodes requests storage",
        "accounts,nodes requests storage limits",
        "openai,nodes requests answers limits",
        "anthropic,nodes requests answers",
        "storage,nodes requests",
        "streams,nodes requests storage",
        "conversations,nodes requests answers storage streams limits",
        "rest,nodes requests answers storage streams conversations limits accounts",
    })
    void eachPartKnowsNoOthersThanThese(String part, String others) {
        Set<String> known = new HashSet<>(List.of((part + " " + others).strip().split(" ")));
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAPackage("dev.chasqui.gateway." + part)
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "are another part of the gateway",
                        type -> type.getPackageName().startsWith(ALL)
                                && !known.contains(type.getPackageName().replace(ALL + ".", ""))))
                .allowEmptyShould(false)
                .check(CLASSES);
    }

    @Test
    void noCycles() {
        slices().matching("dev.chasqui.gateway.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void onlyTheStoragePackageSeesDrivers() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage("dev.chasqui.gateway.storage")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.sql..",
                        "javax.sql..",
                        "org.h2..",
                        "org.postgresql..",
                        "org.flywaydb..",
                        "io.r2dbc.pool..")
                .check(CLASSES);
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
