/// What a stored count, version or position may be.
public enum StoredCounter {
    /// Whole numbers that every JSON reader takes exactly (RFC 7493, section 2.2). Arithmetic on a few of them cannot overflow 64 bits.
    public static let range: ClosedRange<Int64> = 0...(1 << 53 - 1)
}
