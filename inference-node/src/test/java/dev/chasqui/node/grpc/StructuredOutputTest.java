package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Sampling;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Answers that must have a form: a random model's text shows best what the form allows. */
@Timeout(240)
final class StructuredOutputTest extends ReadyNodeTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final SchemaRegistry SCHEMAS = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final int SEEDS = 100;

    private static OutputFormat schema(String schema) {
        return OutputFormat.newBuilder().setJsonSchema(schema).build();
    }

    private static Answer raw(OutputFormat format, int seed, int maxTokens) {
        return node.start(TestNode.prompt("Answer: ")
                .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(seed))
                .setLimits(Limits.newBuilder().setMaxTokens(maxTokens))
                .setOutputFormat(format)
                .build());
    }

    private static Answer chat(OutputFormat format, int seed, int maxTokens) {
        return node.start(TestNode.chatOf("Answer.")
                .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(seed))
                .setLimits(Limits.newBuilder().setMaxTokens(maxTokens))
                .setOutputFormat(format)
                .build());
    }

    private static Refusal refused(OutputFormat format) throws InterruptedException {
        Refusal raw = Refusal.of(raw(format, 1, 4).await().failure());
        Refusal chat = Refusal.of(chat(format, 1, 4).await().failure());
        assertThat(chat.message()).isEqualTo(raw.message());
        assertThat(raw.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(raw.reason()).isEqualTo("INVALID_REQUEST");
        return raw;
    }

    /** Asserts that a text fits a schema, unless it was cut; returns whether it was whole. */
    private static boolean fits(Answer answer, String schema, Object what) throws InterruptedException {
        FinishReason reason = answer.await().finished(0).getReason();
        if (reason == FinishReason.FINISH_REASON_LENGTH) {
            return false;
        }
        assertThat(reason).isEqualTo(FinishReason.FINISH_REASON_STOP);
        if (answer.text().contains("\uFFFD")) {
            // Bytes that are no character count as one for the grammar. Only a model that knows no characters writes
            // them.
            return false;
        }
        assertThat(SCHEMAS.getSchema(schema).validate(JSON.readTree(answer.text())))
                .as("%s: %s does not fit %s", what, answer.text(), schema)
                .isEmpty();
        return true;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "email [^@\\s]+@[^@\\s]+\\.[A-Za-z]{2,63}",
                "hostname [A-Za-z0-9.-]+",
                "ipv4 (\\d{1,3}\\.){3}\\d{1,3}",
                "ipv6 ([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
                "duration P(?=.)[0-9YMWDTHS]+",
                "uuid [0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
            })
    void textsHaveTheirFormat(String format, String pattern) throws Exception {
        int whole = 0;
        for (int seed = 0; seed < 20; seed++) {
            Answer answer = raw(schema("{\"type\": \"string\", \"format\": \"" + format + "\"}"), seed, 500)
                    .await();
            if (answer.finished(0).getReason() == FinishReason.FINISH_REASON_STOP) {
                assertThat(JSON.readTree(answer.text()).asString()).matches(pattern);
                whole++;
            }
        }
        assertThat(whole).isPositive();
    }

    @Test
    void whateverTheSchemaTheTextFitsIt() throws Exception {
        int whole = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            String schema = new RandomSchema(seed).next().toString();
            Answer raw = raw(schema(schema), seed, 500);
            Answer chat = chat(schema(schema), seed, 500);
            whole += fits(raw, schema, "seed " + seed) ? 1 : 0;
            whole += fits(chat, schema, "chat, seed " + seed) ? 1 : 0;
        }
        assertThat(whole).isGreaterThan(SEEDS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"object\"}",
                "{}",
                "{\"type\": [\"integer\", \"null\"]}",
                "{\"type\": \"integer\", \"minimum\": -9007199254740991, \"maximum\": 9007199254740991}",
                "{\"type\": \"integer\", \"exclusiveMinimum\": 0, \"maximum\": 9007199254740991}",
                "{\"$ref\": \"#/$defs/n\", \"$defs\": {\"n\": {\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"object\", \"properties\": "
                        + "{\"next\": {\"$ref\": \"#/$defs/n\"}}, \"required\": [\"next\"]}]}}}",
                "{\"allOf\": [{\"properties\": {\"a\": {\"type\": \"null\"}}, \"required\": [\"a\"]}, "
                        + "{\"properties\": {\"b\": {\"type\": \"boolean\"}}}]}",
                "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"null\"}, {\"type\": \"boolean\"}], \"minItems\": 2, \"maxItems\": 2}",
                "{\"type\": \"object\", \"properties\": {\"id\": {\"type\": \"null\"}}, \"required\": [\"id\"], \"additionalProperties\": "
                        + "{\"type\": \"boolean\"}}",
                "{\"allOf\": [{\"enum\": [1, \"a\", null, {\"x\": [2]}]}], \"description\": \"one of some\"}",
                "{\"type\": \"string\", \"format\": \"date-time\"}",
                "{\"type\": \"object\", \"properties\": {\"v\": {\"type\": \"null\"}, \"kids\": {\"type\": \"array\", \"maxItems\": 2, "
                        + "\"items\": {\"$ref\": \"#\"}}}, \"required\": [\"v\"], \"additionalProperties\": false}",
                "{\"type\": \"array\", \"maxItems\": 1, \"items\": {\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#/$defs/b\"}]}, "
                        + "\"$defs\": {\"whole\": {\"type\": \"null\"}, \"b\": {\"type\": \"boolean\"}}}",
                "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}",
                "{\"anyOf\": [{\"type\": \"number\", \"exclusiveMinimum\": 0}, {\"type\": \"null\"}]}",
                "{\"type\": [\"number\", \"null\"], \"maximum\": -0.25, \"multipleOf\": 0.05}",
                "{\"type\": \"integer\", \"multipleOf\": 7, \"minimum\": 100, \"exclusiveMaximum\": 1000}",
                "{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 20, \"pattern\": \"^[a-z]+$\"}",
                "{\"type\": \"string\", \"format\": \"uri\", \"minLength\": 1, \"maxLength\": 2083}",
                "{\"type\": [\"string\", \"null\"], \"maxLength\": 65536}",
                "{\"type\": \"object\", \"propertyNames\": {\"type\": \"string\"}, \"additionalProperties\": {\"type\": \"null\"}}",
                "{\"type\": \"object\", \"propertyNames\": {\"$ref\": \"#/$defs/c\"}, \"additionalProperties\": {\"type\": \"integer\"}, "
                        + "\"required\": [\"a\", \"b\"], \"$defs\": {\"c\": {\"enum\": [\"a\", \"b\"], \"type\": \"string\"}}}",
                "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"null\"}, {\"type\": \"boolean\"}], \"items\": false}",
                "{\"type\": \"array\", \"prefixItems\": [{\"type\": \"null\"}], \"items\": {\"type\": \"number\", \"minimum\": 1}}",
                "{\"oneOf\": [{\"type\": \"null\"}, {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"boolean\"}}}]}",
                "{\"discriminator\": {\"propertyName\": \"kind\"}, \"oneOf\": [{\"$ref\": \"#/$defs/A\"}, {\"$ref\": \"#/$defs/B\"}], \"$defs\": "
                        + "{\"A\": {\"type\": \"object\", \"properties\": {\"kind\": {\"const\": \"a\", \"default\": \"a\"}, \"x\": {\"type\": "
                        + "\"null\"}}}, \"B\": {\"type\": \"object\", \"properties\": {\"kind\": {\"enum\": [\"b\", \"c\"]}}, \"required\": "
                        + "[\"kind\"]}}}",
                "{\"oneOf\": [{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"null\"}}, \"required\": [\"a\"]}, {\"type\": \"object\", "
                        + "\"properties\": {\"b\": {\"type\": \"null\"}}, \"required\": [\"b\"]}]}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"null\"}}, \"unevaluatedProperties\": false}",
                "{\"type\": \"object\", \"properties\": {\"any\": true}, \"required\": [\"any\"], \"title\": \"t\", \"x-own\": 1}"
            })
    void formsThatClientsUse(String schema) throws Exception {
        int whole = 0;
        for (int seed = 0; seed < 6; seed++) {
            whole += fits(raw(schema(schema), seed, 300), schema, seed) ? 1 : 0;
            whole += fits(chat(schema(schema), seed, 300), schema, seed) ? 1 : 0;
        }
        assertThat(whole).isPositive();
    }

    /** Each keyword alone and with others, on what it is for and on what it is not for. */
    @Test
    void everyKeywordIsHeldOrRefused() throws Exception {
        int held = 0;
        int refused = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            String schema = new RandomKeywords(seed).next().toString();
            Answer answer = raw(schema(schema), seed, 200);
            if (answer.await().failed() == null) {
                held += fits(answer, schema, "seed " + seed) ? 1 : 0;
            } else {
                assertThat(Refusal.of(answer.failure()).field()).isEqualTo("output_format.json_schema");
                refused++;
            }
        }
        assertThat(held).isGreaterThan(SEEDS / 10);
        assertThat(refused).isGreaterThan(SEEDS / 10);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^[0-9]{3}-[A-Z]{2,4}$",
                "^\\d+(\\.\\d{1,2})?$",
                "^(?:red|green|blue)$",
                "^.{1,12}$",
                "^[^a-z]{1,8}$",
                "^[ -~]{1,9}$",
                "^\\w+@\\w+\\.[a-z]{2,3}$",
                "^a|b$",
                "^x\\/y\\$\\s?é{2}$",
                "^a+?b*?$"
            })
    void patternsAreHeld(String pattern) throws Exception {
        String schema = JSON.createObjectNode()
                .put("type", "string")
                .put("pattern", pattern)
                .toString();
        int whole = 0;
        for (int seed = 0; seed < 8; seed++) {
            whole += fits(raw(schema(schema), seed, 800), schema, seed) ? 1 : 0;
        }
        assertThat(whole).isPositive();
    }

    @Test
    void whatAPatternDoesNotAnchorMayHaveTextBesideIt() throws Exception {
        assertThat(SchemaPattern.of("ab")).matches("\\^\\[.*]\\*\\(\\[a]\\[b]\\)\\[.*]\\*\\$");
        assertThat(SchemaPattern.of("^ab")).startsWith("^([a][b])[");
        assertThat(SchemaPattern.of("ab$")).endsWith("([a][b])$");
        assertThat(SchemaPattern.of("^[!-~]$"))
                .isEqualTo("^([\\U00000021\\U00000023-\\U0000005B\\U0000005D-\\U0000007E])$");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?=a)b",
                "a\\b",
                "(a",
                "a)",
                "[a",
                "a{3,2}",
                "a{5000}",
                "x^y",
                "\\",
                "(a)\\1",
                "[\\\\\"]",
                "\\pL",
                "a**"
            })
    void patternsThatAGrammarCannotHoldAreRefused(String pattern) throws Exception {
        String schema = JSON.createObjectNode()
                .put("type", "string")
                .put("pattern", pattern)
                .toString();
        Refusal refusal = refused(schema(schema));
        assertThat(refusal.field()).isEqualTo("output_format.json_schema");
        assertThat(refusal.message()).contains("pattern at #").contains("(expected: ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "contains at # | {\"type\": \"array\", \"items\": {\"type\": \"null\"}, \"contains\": {}}",
                "the numbers at # | {\"type\": \"number\", \"minimum\": 3, \"exclusiveMaximum\": 3}",
                "the numbers at # | {\"type\": \"integer\", \"minimum\": 5, \"maximum\": 6, \"multipleOf\": 7}",
                "the numbers at # | {\"type\": \"integer\", \"multipleOf\": 0.5}",
                "the numbers at # | {\"type\": \"number\", \"multipleOf\": 0}",
                "the numbers at # | {\"type\": \"number\", \"multipleOf\": 1234567}",
                "multipleOf at # | {\"type\": \"number\", \"multipleOf\": \"3\"}",
                "minLength at # | {\"type\": \"string\", \"minLength\": 5000}",
                "pattern at # | {\"type\": \"string\", \"pattern\": \"^(ab)+$\", \"maxLength\": 5}",
                "pattern at # | {\"type\": \"string\", \"pattern\": \"^[a]{9}$\", \"maxLength\": 5}",
                "alternatives 0 and 1 of oneOf, which may both fit, at # | {\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}",
                "alternatives 0 and 2 of oneOf, which may both fit, at # | {\"oneOf\": [{\"enum\": [1, 2]}, {\"type\": \"null\"}, {\"const\": 2.0}]}",
                "alternatives 0 and 1 of oneOf, which may both fit, at #/properties/p | {\"properties\": {\"p\": {\"oneOf\": [{\"type\": \"object\", "
                        + "\"properties\": {\"a\": {\"type\": \"null\"}}}, {\"type\": \"object\", \"properties\": {\"b\": {}}}]}}}",
                "oneOf at # | {\"oneOf\": []}",
                "anyOf at # | {\"anyOf\": []}",
                "propertyNames at # | {\"type\": \"object\", \"propertyNames\": {\"maxLength\": 3}}",
                "unevaluatedProperties at # | {\"type\": \"object\", \"unevaluatedProperties\": false}",
                "not at # | {\"not\": {}}",
                "uniqueItems at # | {\"type\": \"array\", \"uniqueItems\": true}",
                "patternProperties at # | {\"type\": \"object\", \"patternProperties\": {}}",
                "required at # | {\"type\": \"object\", \"required\": [\"a\"]}",
                "minProperties at #/properties/a | {\"properties\": {\"a\": {\"type\": \"object\", \"minProperties\": 1}}}",
                "minLength over maxLength at # | {\"type\": \"string\", \"minLength\": 5, \"maxLength\": 3}",
                "minimum over maximum at # | {\"type\": \"integer\", \"minimum\": 5, \"maximum\": 3}",
                "minimum at # | {\"type\": \"integer\", \"minimum\": 1e300}",
                "maximum at # | {\"type\": \"integer\", \"maximum\": -9007199254740991}",
                "properties at # | {\"properties\": {\"a\": {}}, \"anyOf\": [{\"type\": \"object\"}]}",
                "enum at # | {\"type\": \"string\", \"enum\": [1]}",
                "enum at # | {\"enum\": []}",
                "no object at # | false",
                "no object at # | [1]",
                "a schema that leads to itself at | {\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}",
                "a schema that leads to itself at | {\"allOf\": [{\"$ref\": \"#/$defs/a\"}, {}], \"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, "
                        + "\"b\": {\"anyOf\": [{\"$ref\": \"#/$defs/a\"}]}}}",
                "$ref at # | {\"anyOf\": [{\"$ref\": \"#/$defs/a_b\"}, {\"$ref\": \"#/$defs/a-b\"}], \"$defs\": "
                        + "{\"a_b\": {\"type\": \"null\"}, \"a-b\": {\"type\": \"null\"}}}",
                "not shown | {\"type\": \"nothing\"}",
                "not shown | {\"$ref\": \"#/$defs/none\"}",
                "not shown | {\"a\": 1, \"a\": 2}",
                "not shown | {",
                "not shown | nonsense"
            })
    void whatAGrammarCannotHoldIsRefusedByName(String named, String schema) throws Exception {
        Refusal refusal = refused(schema(schema));
        assertThat(refusal.field()).isEqualTo("output_format.json_schema");
        assertThat(refusal.message())
                .startsWith("output_format.json_schema: " + named)
                .contains("(expected: ");
    }

    @Test
    void largeSchemasAreRefused() throws Exception {
        StringBuilder properties = new StringBuilder();
        StringBuilder alternatives = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            properties.append(i == 0 ? "" : ",").append("\"p" + i + "\":{\"type\":\"null\"}");
        }
        for (int i = 0; i < 40; i++) {
            String next = "{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}";
            alternatives.append("\"d" + i + "\":{\"anyOf\":[" + next + "," + next + "]},");
        }
        List<String> large = List.of(
                "{\"properties\":{" + properties + "}}",
                "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + alternatives + "\"d40\":{\"type\":\"null\"}}}",
                "{\"items\":".repeat(150) + "{}" + "}".repeat(150),
                "{\"items\":".repeat(5000) + "{}" + "}".repeat(5000),
                "{\"properties\":{\"" + "%".repeat(100_000) + "\":{}}}",
                "{\"description\":\"" + "x".repeat(300_000) + "\"}",
                "{\"enum\":[" + "1,".repeat(2000) + "1]}");
        for (String schema : large) {
            assertThat(refused(schema(schema)).field()).isEqualTo("output_format.json_schema");
        }
    }

    @Test
    void aGrammarIsHeldWithEverythingElse() throws Exception {
        Answer answer = node.chat(TestNode.chatOf("hi")
                .setSampling(Sampling.newBuilder().setTemperature(1).setSeed(3))
                .setLimits(Limits.newBuilder().setMaxTokens(40).addStop("!"))
                .setChoices(3)
                .setLogprobs(Logprobs.newBuilder().setTop(2))
                .setOutputFormat(OutputFormat.newBuilder().setGrammar("root ::= [a-c]{4} \"!\" [x-z]"))
                .build());
        for (int choice = 0; choice < 3; choice++) {
            int one = choice;
            assertThat(answer.text(choice)).matches("[a-c]{4}");
            assertThat(answer.finished(choice).getStop()).isEqualTo("!");
            assertThat(answer.deltas().stream().filter(delta -> delta.getChoice() == one))
                    .flatMap(delta -> delta.getLogprobsList())
                    .hasSizeBetween(4, 5)
                    .allSatisfy(logprob -> assertThat(logprob.getTopList()).hasSize(2));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "root ::= root \"a\"",
                "root ::= a root \"x\" | \"y\"\na ::= b\nb ::= \"\"",
                "root ::= \"a\"{5,3}",
                "root ::= r\nr ::= \"a\" r \"x\" | \"a\" r \"y\" | \"a\"",
                "root ::= undefined",
                "start ::= \"a\"",
                "%llguidance {}",
                "nonsense"
            })
    void badGrammarsAreRefused(String grammar) throws Exception {
        Refusal refusal = refused(OutputFormat.newBuilder().setGrammar(grammar).build());
        assertThat(refusal.field()).isEqualTo("output_format.grammar");
        assertThat(refusal.message()).startsWith("output_format.grammar: ");
    }

    @Test
    void whatAGrammarLacksIsSaidWithoutWhatItSays() throws Exception {
        Refusal refusal = refused(
                OutputFormat.newBuilder().setGrammar("root ::= (\"secret\"").build());

        assertThat(refusal.message()).isEqualTo("output_format.grammar: expecting ')'");
        assertThat(refused(OutputFormat.newBuilder()
                                .setGrammar("root ::= <secret word at home>")
                                .build())
                        .message())
                .startsWith("output_format.grammar: ")
                .doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"root ::= [z-a]", "root ::= \"ab\" [z-a]"})
    void aGrammarThatLeadsNowhereIsTheCallersFault(String grammar) throws Exception {
        Refusal refusal = refused(OutputFormat.newBuilder().setGrammar(grammar).build());
        assertThat(refusal.field()).isEqualTo("output_format.grammar");
        assertThat(refusal.message()).startsWith("output_format.grammar: no token fits");
    }

    @Test
    void aHugeGrammarIsRefused() throws Exception {
        OutputFormat format = OutputFormat.newBuilder()
                .setGrammar("root ::= \"" + "a".repeat(300_000) + "\"")
                .build();
        assertThat(refused(format).message())
                .isEqualTo("output_format.grammar: 300011 bytes (expected: at most 262144)");
    }

    /** Flat schemas of one to three keywords out of all that restrict values. */
    private static final class RandomKeywords {
        private static final List<String> BASES = List.of(
                "{}",
                "{'type': 'number'}",
                "{'type': 'integer'}",
                "{'type': ['integer', 'null']}",
                "{'type': 'string'}",
                "{'type': 'array', 'items': {'type': 'boolean'}}",
                "{'type': 'object', 'additionalProperties': {'type': 'null'}}",
                "{'type': 'object', 'properties': {'a': {'type': 'null'}, 'b': {'type': 'integer'}}}",
                "{'anyOf': [{'type': 'boolean'}, {'type': 'object', 'properties': {'a': {}}}]}");
        private static final List<String> KEYWORDS = List.of(
                "{'minimum': 0.5}",
                "{'maximum': 99}",
                "{'exclusiveMinimum': -3}",
                "{'exclusiveMaximum': 12.25}",
                "{'multipleOf': 3}",
                "{'multipleOf': 0.25}",
                "{'minLength': 3}",
                "{'maxLength': 9}",
                "{'maxLength': 3000}",
                "{'pattern': '^[a-z]+$'}",
                "{'format': 'date'}",
                "{'format': 'email'}",
                "{'minItems': 1}",
                "{'maxItems': 3}",
                "{'uniqueItems': true}",
                "{'contains': {'const': true}}",
                "{'prefixItems': [{'type': 'null'}]}",
                "{'unevaluatedItems': false}",
                "{'minProperties': 1}",
                "{'maxProperties': 1}",
                "{'required': ['a']}",
                "{'patternProperties': {'^a': {'type': 'string'}}}",
                "{'propertyNames': {'enum': ['a', 'x']}}",
                "{'propertyNames': {'maxLength': 2}}",
                "{'dependentRequired': {'a': ['b']}}",
                "{'dependentSchemas': {'a': {'required': ['b']}}}",
                "{'unevaluatedProperties': false}",
                "{'additionalProperties': false}",
                "{'not': {'type': 'null'}}",
                "{'if': {'type': 'object'}, 'then': {'required': ['b']}}",
                "{'const': 12}",
                "{'enum': [3, 'three', null]}",
                "{'oneOf': [{'type': 'integer'}, {'type': 'string'}]}",
                "{'oneOf': [{'minimum': 2}, {'maximum': 5}]}",
                "{'allOf': [{'type': 'number'}, {'minimum': 1}]}",
                "{'$ref': '#/$defs/n', '$defs': {'n': {'type': 'number', 'minimum': 7}}}");
        private final Random random;

        RandomKeywords(int seed) {
            this.random = new Random(seed);
        }

        ObjectNode next() {
            ObjectNode schema = any(BASES);
            for (int i = 0; i <= random.nextInt(3); i++) {
                schema.setAll(any(KEYWORDS));
            }
            return schema;
        }

        private ObjectNode any(List<String> schemas) {
            String text = schemas.get(random.nextInt(schemas.size()));
            return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
        }
    }

    /** Schemas of everything that is held, a few levels deep, with values that end soon. */
    private static final class RandomSchema {
        private final Random random;

        RandomSchema(int seed) {
            this.random = new Random(seed);
        }

        ObjectNode next() {
            return any(3);
        }

        private ObjectNode any(int depth) {
            ObjectNode schema = JSON.createObjectNode();
            switch (random.nextInt(depth == 0 ? 8 : 13)) {
                case 0 -> schema.put("type", random.nextBoolean() ? "null" : "boolean");
                case 1 -> integer(schema);
                case 2 -> number(schema);
                case 3 ->
                    schema.put("type", "string")
                            .put("minLength", random.nextInt(3))
                            .put("maxLength", 3 + random.nextInt(9));
                case 4 -> schema.put("type", "string").put("pattern", pattern());
                case 5 ->
                    schema.putArray("enum")
                            .add("one")
                            .add(2)
                            .add(random.nextDouble())
                            .addNull()
                            .add("\"quoted\" \\");
                case 6 -> schema.put("type", "string").put("format", random.nextBoolean() ? "uuid" : "date");
                case 7 ->
                    schema.putObject("const")
                            .put("k", random.nextInt(100))
                            .putArray("l")
                            .add("ü😀");
                case 8 -> alternatives(schema, depth);
                case 9 -> array(schema, depth);
                case 10 -> tuple(schema, depth);
                default -> object(schema, depth);
            }
            return schema;
        }

        private void integer(ObjectNode schema) {
            schema.put("type", "integer");
            int least = random.nextInt(4000) - 2000;
            if (random.nextBoolean()) {
                schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", least);
            }
            if (random.nextBoolean()) {
                schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", least + 2 + random.nextInt(3000));
            }
        }

        private void number(ObjectNode schema) {
            schema.put("type", "number");
            double least = (random.nextInt(4000) - 2000) / 16.0;
            if (random.nextBoolean()) {
                schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", least);
            }
            if (random.nextBoolean()) {
                schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", least + 1 + random.nextInt(300));
            }
            if (random.nextInt(4) == 0) {
                schema.put("multipleOf", 0.25);
            }
        }

        private String pattern() {
            return List.of("^[a-f0-9]{2,6}$", "^(yes|no)!?$", "^\\d{4}-\\d\\d$", "^.{0,7}$", "^[^x]{3}$")
                    .get(random.nextInt(5));
        }

        private void alternatives(ObjectNode schema, int depth) {
            List<String> types = new ArrayList<>(List.of("null", "boolean", "integer"));
            for (String type : types.subList(0, 1 + random.nextInt(3))) {
                schema.withArray("anyOf").add(JSON.createObjectNode().put("type", type));
            }
            schema.withArray("anyOf").add(object(JSON.createObjectNode(), depth));
            if (random.nextBoolean()) {
                schema.set("oneOf", schema.remove("anyOf"));
            }
        }

        private void array(ObjectNode schema, int depth) {
            schema.put("type", "array").put("minItems", random.nextInt(3)).put("maxItems", 2 + random.nextInt(3));
            schema.set("items", any(depth - 1));
        }

        private void tuple(ObjectNode schema, int depth) {
            schema.put("type", "array");
            schema.putArray("prefixItems").add(any(depth - 1)).add(any(depth - 1));
        }

        private ObjectNode object(ObjectNode schema, int depth) {
            schema.put("type", "object");
            ObjectNode properties = schema.putObject("properties");
            for (int i = 0; i <= random.nextInt(4); i++) {
                String name = List.of("a", "a b", "name", "x\"y\\z", "ünder_score", "kv-rest", "a-kv")
                        .get(random.nextInt(7));
                properties.set(name, any(depth - 1));
                if (random.nextBoolean() && !schema.path("required").toString().contains("\"" + name + "\"")) {
                    schema.withArray("required").add(name);
                }
            }
            if (random.nextBoolean()) {
                schema.put("additionalProperties", false);
            }
            return schema;
        }
    }
}
