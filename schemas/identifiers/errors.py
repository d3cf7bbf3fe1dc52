"""
Errors and warnings of identifiers.

    IdentifierError   .rule .help(lang)    refused
    IdentifierWarning                      accepted, and the warning stands beside the value

Every text says what the rule demands, who can help, and the next step.  No text holds the identifier or a part of it.
"""

from schemas.codes import Code


class IdentifierRule(Code):
    """
    The closed list of rules.  None of them refuses a number that a real person or organization can hold.
    """

    RESIDENT_ID_FORMAT = (
        "resident_id_format",
        "公民身份号码应为18位（17位数字加1位数字或X），一代证为15位数字。请与身份证逐位核对；证件不在手边的，请当事人或立案窗口提供。",
        "A resident identity number has 18 characters (17 digits, then a digit or X), or 15 digits on a "
        "first-generation card. Compare it with the card; if you do not have it, ask the party or the filing window.",
    )
    BIRTH_DATE = (
        "birth_date",
        "号码中的出生日期不是真实存在的日期。请逐位核对出生日期部分；证件上确实如此的，请当事人向发证的公安机关核实。",
        "The birth date inside the number names a day that does not exist. Compare those digits with the card; "
        "if the card really says so, the party has to ask the police office that issued it.",
    )
    BIRTH_IN_FUTURE = (
        "birth_in_future",
        "号码中的出生日期晚于今天。请逐位核对年份部分；证件上确实如此的，请当事人向发证的公安机关核实。",
        "The birth date inside the number lies after today. Compare the year with the card; "
        "if the card really says so, the party has to ask the police office that issued it.",
    )
    CHECK_DIGIT = (
        "check_digit",
        "号码的校验位与前面各位不符，通常是某一位输入有误。请与证件逐位核对；证件上确实如此的，请当事人向发证机关核实。",
        "The last character does not fit the others, so at least one of them is mistyped. Compare every digit "
        "with the document; if the document really says so, the party has to ask the office that issued it.",
    )
    RESIDENCE_PERMIT_FORMAT = (
        "residence_permit_format",
        "港澳台居民居住证号码应为18位（17位数字加1位数字或X）。请与居住证核对；只有通行证的，请改选“护照或其他旅行证件”。",
        "The number of a residence permit for Hong Kong, Macao and Taiwan residents has 18 characters (17 digits, "
        "then a digit or X). Compare it with the permit; if the party has a travel permit only, choose passport.",
    )
    RESIDENCE_PERMIT_REGION = (
        "residence_permit_region",
        "港澳台居民居住证号码以810000（香港）、820000（澳门）或830000（台湾）开头。请核对证件类型与前六位；内地居民请改选“公民身份号码”。",
        "The number of a residence permit starts with 810000 (Hong Kong), 820000 (Macao) or 830000 (Taiwan). "
        "Check the type of document and these digits; for a mainland resident choose resident identity number.",
    )
    PERMANENT_RESIDENCE_FORMAT = (
        "permanent_residence_format",
        "外国人永久居留身份证号码，新版为9开头的18位（末位可为X），旧版为3个字母加12位数字。请与证件核对；不清楚版本的，请向国家移民管理机构核实。",
        "The number of a foreigner's permanent residence ID has 18 characters starting with 9 (the last may be X), "
        "or 3 letters and 12 digits on the old card. Compare it with the card; the immigration office can confirm it.",
    )
    USCC_LENGTH = (
        "uscc_length",
        "统一社会信用代码应为18位。请与营业执照或登记证书核对；只有15位注册号的，请改选“注册号”。",
        "A unified social credit code has 18 characters. Compare it with the licence or certificate; if there is "
        "only a registration number of 15 digits, choose that type.",
    )
    USCC_ALPHABET = (
        "uscc_alphabet",
        "统一社会信用代码只用数字和除I、O、S、V、Z以外的大写字母。请核对是否把0、1、5、2看成了字母；可在国家企业信用信息公示系统查询。",
        "A unified social credit code uses digits and the letters other than I, O, S, V and Z. Check whether "
        "0, 1, 5 or 2 was read as a letter; the public enterprise credit system shows the code.",
    )
    USCC_REGION = (
        "uscc_region",
        "统一社会信用代码的第3至8位是登记机关行政区划码，应为数字。请与营业执照或登记证书核对。",
        "Positions 3 to 8 of a unified social credit code name the registry's region and are digits. "
        "Compare them with the licence or certificate, or ask the registry.",
    )
    ORGANIZATION_CODE_FORMAT = (
        "organization_code_format",
        "组织机构代码应为8位数字或字母加1位校验码（数字或X）。请与代码证核对；已换发的，请改用统一社会信用代码。",
        "An organization code has 8 digits or letters and one check character (a digit or X). Compare it with the "
        "certificate; if it was replaced, use the unified social credit code printed on the new one.",
    )
    REGISTRATION_NUMBER_FORMAT = (
        "registration_number_format",
        "注册号应为15位数字。请与营业执照核对；执照上为18位代码的，请改选“统一社会信用代码”；年代更早的号码请向登记机关查档。",
        "A registration number has 15 digits. Compare it with the licence; if that shows a code of 18 characters, "
        "choose unified social credit code; for an older number ask the registry.",
    )
    CHECK_CHARACTER = (
        "check_character",
        "代码的校验位与前面各位不符，通常是某一位输入有误。请与执照或证书逐位核对；证照上确实如此的，请向登记机关核实。",
        "The last character does not fit the others, so at least one of them is mistyped. Compare every character "
        "with the licence or certificate; if it really says so, ask the registry.",
    )
    TRAVEL_PAPER_FORMAT = (
        "travel_paper_format",
        "护照或旅行证件号码应为5至20位字母或数字。请按证件资料页填写；看不清的，请当事人或立案窗口提供复印件。",
        "The number of a passport or travel paper has 5 to 20 letters or digits. Take it from the paper's data page; "
        "if that cannot be read, ask the party or the filing window for a copy.",
    )
    COUNTRY_REQUIRED = (
        "country_required",
        "护照或旅行证件须注明签发国家或地区的三字母或三位数字代码（如CHN、156）。请按证件资料页填写。",
        "A passport or travel paper needs the code of the issuing country or region, three letters or digits "
        "(CHN, 156). Take it from the paper's data page, or ask the party.",
    )
    CASE_NUMBER_YEAR = (
        "case_number_year",
        "案号应以括号内的四位收案年度开头，如（2024）。请按受理通知书填写，或请立案庭核对。",
        "A case number starts with the year of acceptance in brackets, four digits, such as (2024). "
        "Take it from the notice of acceptance, or ask the filing division.",
    )
    CASE_NUMBER_COURT = (
        "case_number_court",
        "年度之后应为法院代字：最高法，或省份简称加0、2或4位数字，如浙0802。请按受理通知书填写，或请立案庭核对。",
        "After the year comes the court's code: 最高法, or the region's character with no, 2 or 4 digits, such as "
        "浙0802. Take it from the notice of acceptance, or ask the filing division.",
    )
    CASE_NUMBER_TYPE = (
        "case_number_type",
        "法院代字之后应为1至4个汉字的类型代字，2016年起的案号不含“字”“第”。请按受理通知书填写，或请立案庭核对。",
        "After the court's code comes the type of case, 1 to 4 Chinese characters; since 2016 without 字 and 第. "
        "Take it from the notice of acceptance, or ask the filing division.",
    )
    CASE_NUMBER_NUMBER = (
        "case_number_number",
        "案件编号应为不以0开头的自然数，其后为“号”，再后只可有“之一”等。请按受理通知书填写，或请立案庭核对。",
        "The number of the case is a natural number without leading zeros, followed by 号, and at most 之一 or "
        "the like after it. Take it from the notice of acceptance, or ask the filing division.",
    )


class IdentifierWarning(Code):
    """
    The closed list of warnings.  Each is shown beside the value; none of them stops a lookup.
    """

    NO_CHECK_DIGIT = (
        "no_check_digit",
        "15位号码没有校验位，输入错误无法发现。请与姓名一并核对；已升位的，请使用18位号码。",
        "A number of 15 digits has no check digit, so a slip cannot be noticed. Check it together with the name, "
        "and use the 18-digit number where there is one.",
    )
    REGION_UNKNOWN = (
        "region_unknown",
        "号码中的行政区划码不在对照表中。请核对该部分；新设区划可能尚未收录。",
        "The region inside the number is not in our table. Check these digits; a new district may be missing here.",
    )
    REGION_NOT_IN_FORCE = (
        "region_not_in_force",
        "号码中的行政区划码在首次编号时尚未启用或已停用。请核对该部分；补编的号码可能如此。",
        "The region inside the number was not in force when the number was first issued. Check these digits; "
        "a number that was issued late can look like this.",
    )
    AGE_OVER_130 = (
        "age_over_130",
        "按号码推算年龄超过130岁。请核对出生年份，并确认当事人是否在世。",
        "By this number the person is older than 130. Check the year of birth, and whether the person is alive.",
    )
    CENTENARIAN_SEQUENCE = (
        "centenarian_sequence",
        "顺序码996至999原为百岁老人专用。请核对后四位。",
        "The sequence numbers 996 to 999 were meant for people born in the 1800s. Check the last four characters.",
    )
    NATIONALITY_UNKNOWN = (
        "nationality_unknown",
        "号码中的国籍代码不在对照表中。请与证件核对该部分。",
        "The nationality inside the number is not in our table. Compare this part with the card.",
    )
    BIRTH_DATE_DOUBTFUL = (
        "birth_date_doubtful",
        "号码中的出生日期部分不是过去的真实日期。请与证件核对该部分。",
        "The part of the number that usually holds the birth date is no real day in the past. "
        "Compare it with the card.",
    )
    AUTHORITY_UNKNOWN = (
        "authority_unknown",
        "统一社会信用代码首位不在登记管理部门对照表中。请核对首位。",
        "The first character of the code names no registering authority of our table. Check this character.",
    )
    EMBEDDED_CODE = (
        "embedded_code",
        "统一社会信用代码内含的组织机构代码校验位不符。请与证照核对第9至17位。",
        "The organization code inside the credit code fails its own check. Compare positions 9 to 17 "
        "with the certificate.",
    )
    COUNTRY_UNKNOWN = (
        "country_unknown",
        "签发国家或地区代码不在对照表中。请与证件资料页核对。",
        "The code of the issuing country is not in our table. Compare it with the paper's data page.",
    )
    PAPER_FORM_UNUSUAL = (
        "paper_form_unusual",
        "号码与该国家或地区证件的常见格式不同。请与证件资料页核对。",
        "The number does not look like those that this country usually issues. Compare it with the paper's data page.",
    )
    COURT_UNKNOWN = (
        "court_unknown",
        "法院代字的地区简称不在对照表中。请与受理通知书核对。",
        "The region of the court's code is not in our table. Compare it with the notice of acceptance.",
    )
    CASE_TYPE_UNKNOWN = (
        "case_type_unknown",
        "类型代字不在对照表中。请与受理通知书核对。",
        "The type of case is not in our table. Compare it with the notice of acceptance.",
    )
    OLD_CASE_NUMBER = (
        "old_case_number",
        "这是2016年以前的旧式案号，无法从中识别法院。请确认案件归属。",
        "This is a case number of the form before 2016, which does not name the court by a code. "
        "Make sure which court it belongs to.",
    )


class IdentifierError(ValueError):
    """
    A text that is no identifier of the stated kind.  `rule` says which rule it breaks; the text itself is not kept.
    """

    def __init__(self, rule: IdentifierRule) -> None:
        super().__init__(rule)
        self.rule = rule

    def __str__(self) -> str:
        return f"identifier is refused by rule {self.rule.value}"

    def help(self, lang: str) -> str:
        """The clerk's sentence, in Chinese for `zh` and `zh-…`, otherwise in English."""
        return self.rule.zh if lang.startswith("zh") else self.rule.en
