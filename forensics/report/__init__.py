"""The report of a case, in the form that the file's suffix names.

writing      one form or all of them, by the suffix of the file
results      what a report needs of a case
gathering    what it says, gathered once and masked once (`document`)
sections     one section a file: what it shows in HTML and in Markdown
brief, impact, parts, actions       what the first screen and the sections for people say
html, markdown, workbook, bundle    the forms
deck         slides for a walkthrough; what they say is in slides
maskings     which columns are shown or masked by name
verifying    a bundle held against its manifest
"""
