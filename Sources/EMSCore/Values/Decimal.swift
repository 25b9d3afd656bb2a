extension Double {
    /// A finite number as people and JSON write it: without the hexadecimal digits, infinities and NaNs that Swift reads as well.
    /// - Returns: `nil` for anything else, and for more than 40 characters.
    public init?(decimal text: some StringProtocol) {
        guard text.utf8.count <= 40, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text), value.isFinite
        else { return nil }
        self = value
    }
}
