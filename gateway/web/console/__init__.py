"""
The pages of compliance staff: records of the log as sentences, verification, exports, reports, reviews, statistics.

Read-only apart from exports, verifications, outcomes of reviews, and reports to persons.
"""
