"""
The pages of compliance staff: the log in sentences, its verification, its exports, reports, reviews, figures.

Read-only apart from exports, verifications, outcomes of reviews, and reports to persons.
"""
