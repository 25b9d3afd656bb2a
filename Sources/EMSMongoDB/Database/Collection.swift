/// The collections of the database.
enum Collection: String, CaseIterable {
    case users
    case sessions
    case refreshTokens = "refresh_tokens"
    case events
    /// Every change, in one order: `_id` is the position.
    case journal
    /// Names and addresses of persons, which entries of the journal refer to.
    case journalTexts = "journal_texts"
    case subscriptions
    /// The stream of notifications: `_id` is the position.
    case notifications
    /// What is for some users only: one document for each of them.
    case inboxEntries = "inbox_entries"
    /// What users read one by one, beyond the marks that their own documents hold.
    case inboxReads = "inbox_reads"
    case rateLimits = "rate_limits"
    /// Failed log-ins, and the addresses that accounts logged in from.
    case logins
    /// What `ems` keeps about the database itself: the version of the schema.
    case meta
}
