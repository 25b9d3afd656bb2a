import EMSCore

/// What the parser's description of a command holds.
extension JSONValue {
    func elements(_ name: String) -> [JSONValue] {
        if case .array(let elements) = self[name] { elements } else { [] }
    }

    var isOption: Bool { self["kind"]?.string == "option" }

    var names: [String] {
        elements("names").map { name in
            (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
        }
    }
}
