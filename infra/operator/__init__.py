"""What the operator does by hand: ``python -m infra.operator COMMAND``, on AWS and on the local cloud alike.

AWS is reached with the credentials, Region and endpoint of the environment, as with any AWS client. A command that
changes something says first what it would do, and does it with ``--apply``; what was done is kept in the log group
OperatorActions. Nothing personal is shown whole, but to an investigator who looked at a plate.
"""
