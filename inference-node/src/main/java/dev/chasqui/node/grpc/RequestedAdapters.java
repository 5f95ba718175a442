package dev.chasqui.node.grpc;

import dev.chasqui.node.engine.AdapterSet;
import dev.chasqui.node.model.AdapterFile;
import dev.chasqui.proto.v1.AdapterUse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The LoRA adapters that a request names, as the engine knows them. */
final class RequestedAdapters {
    private static final String FIELD = "lora";
    private static final int MOST = 16;
    private static final int LONGEST_NAME = 64;

    private RequestedAdapters() {}

    static AdapterSet of(List<AdapterUse> wanted, List<AdapterFile> loaded) {
        if (wanted.isEmpty()) {
            return AdapterSet.NONE;
        }
        InvalidRequest.require(wanted.size() <= MOST, FIELD, wanted.size() + " adapters", "at most " + MOST);
        List<AdapterSet.Use> uses = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        for (AdapterUse use : wanted) {
            int number = number(use, loaded);
            String name = loaded.get(number).name();
            InvalidRequest.require(seen.add(number), FIELD, name + " twice", "each adapter once");
            float scale = use.hasScale() ? use.getScale() : loaded.get(number).scale();
            InvalidRequest.require(
                    Math.abs(scale) <= AdapterFile.MOST_SCALE, FIELD, name + " with scale " + scale, "-100 to 100");
            uses.add(new AdapterSet.Use(number, scale));
        }
        return new AdapterSet(uses);
    }

    private static int number(AdapterUse use, List<AdapterFile> loaded) {
        String given = use.hasName() ? shown(use.getName()) : Integer.toUnsignedString(use.getIndex());
        InvalidRequest.require(!loaded.isEmpty(), FIELD, given, "none, as the model has no adapters");
        if (!use.hasName()) {
            boolean known = use.getIndex() >= 0 && use.getIndex() < loaded.size();
            InvalidRequest.require(known, FIELD, given, "0 to " + (loaded.size() - 1));
            return use.getIndex();
        }
        for (int i = 0; i < loaded.size(); i++) {
            if (loaded.get(i).name().equals(use.getName())) {
                return i;
            }
        }
        throw new InvalidRequest(
                FIELD, given, "one of " + loaded.stream().map(AdapterFile::name).collect(Collectors.joining(", ")));
    }

    private static String shown(String name) {
        String plain = name.replaceAll("\\p{Cntrl}", "?");
        return plain.length() <= LONGEST_NAME ? plain : "a name of " + plain.length() + " characters";
    }
}
