"""
The rules of the tree and of its administration: each states, in both languages, who can help and the next step.
"""

from schemas.codes import Code


class OrganizationRule(Code):
    """
    Why a change of the tree, or a wish of one of its people, is refused.
    """

    NOT_ADMINISTRATOR = (
        "not_administrator",
        "您的角色不能变更组织架构。请联系所在中心的中心管理员或本院系统管理员。",
        "None of your roles changes the tree. Ask the administrator of your centre, or the system administrator of "
        "your court.",
    )
    OUTSIDE_SUBTREE = (
        "outside_subtree",
        "该部门或人员不存在，或不在您管理的范围内。请核对编号；确需变更的，请联系其所在部门的管理员。",
        "This unit or person does not exist or is not below you. Check the id; if it is right, ask the administrator "
        "of that place.",
    )
    OWN_ENTRY = (
        "own_entry",
        "任何人不得变更自己的账号、部门或角色。请由其他管理员办理。",
        "Nobody changes their own account, place or roles. Ask another administrator to do it.",
    )
    BEYOND_OWN_ROLE = (
        "beyond_own_role",
        "您不能授予或变更此角色。请联系上一级管理员；区域管理员和三员的角色见组织架构文件与安全管理员。",
        "You cannot give this role, or change a person who holds it. Ask the administrator above you; a region's "
        "administrator is named in the court's file of the tree.",
    )
    SEPARATED_ADMINISTRATORS = (
        "separated_administrators",
        "系统管理员、安全管理员、审计管理员的角色只能由安全管理员变更。请联系本院安全管理员。",
        "The system, security and audit administrators are changed by the security administrator alone. Ask the "
        "security administrator of your court.",
    )
    ROLES_BY_SECURITY = (
        "roles_by_security_administrator",
        "系统管理员只管理部门和账号，不授予角色。请由本院安全管理员授予角色。",
        "The system administrator makes units and accounts and gives no roles. Ask the security administrator of "
        "your court to give the role.",
    )
    ACCOUNTS_BY_SYSTEM = (
        "accounts_by_system_administrator",
        "安全管理员只授予和收回角色，不管理部门和账号。请由本院系统管理员办理。",
        "The security administrator gives and takes roles and changes neither units nor accounts. Ask the system "
        "administrator of your court.",
    )
    ROLES_FIRST = (
        "roles_first",
        "此人担任管理角色，角色随部门生效。请先由安全管理员收回角色，再行调动。",
        "This person holds a role over a place. Have the security administrator take the role first, then move the "
        "person.",
    )
    COURTS_BY_FILE = (
        "courts_by_file",
        "辖区和法院只能通过组织架构文件变更。请由部署人员执行 shuniu org import。",
        "Regions and courts are changed by the file of the tree alone. Ask who runs the hub for `shuniu org import`.",
    )
    UNIT_ID = (
        "unit_id",
        "部门编号须为小写字母开头的单词；辖区和法院不含连字符，中心和组以法院编号加连字符开头。请更正编号。",
        "A unit's id is a word of small letters and digits that begins with a letter: without a hyphen for a region "
        "or a court, and for a centre or group the id of its court, a hyphen and more. Correct the id.",
    )
    UNIT_PARENT = (
        "unit_parent",
        "上级部门不存在或级别不符：法院属于辖区，中心属于法院，组属于中心。请更正上级部门。",
        "The parent does not exist or is of the wrong kind: a court belongs to a region, a centre to a court, a group "
        "to a centre. Correct the parent.",
    )
    UNIT_CYCLE = (
        "unit_cycle",
        "部门之间互为上级。请更正上级部门。",
        "The unit is above itself. Correct the parent.",
    )
    UNIT_COURT = (
        "unit_court",
        "法院代码与所在位置不符：辖区无代码，每院一个代码，其下各级同本院代码。请更正法院代码。",
        "The court code does not fit the place: none for a region, one for one court, and the same for all below it. "
        "Correct the court code.",
    )
    UNIT_NAME = (
        "unit_name",
        "部门须有中文和英文名称，各不超过100字。请补充名称。",
        "A unit has a Chinese and an English name of at most 100 characters each. Add the name.",
    )
    UNIT_FIXED = (
        "unit_fixed",
        "部门的级别和所属法院不可变更。请新建部门，再调动人员。",
        "A unit's kind and court never change. Make a new unit and move the people.",
    )
    USER_ID = (
        "user_id",
        "账号须为字母开头的单词或UUID，连续数字不超过5位，以免将证件号码作为账号。请使用统一登录账号名。",
        "A user id is a word that begins with a letter, with at most 5 digits in a row, or a UUID: never a personal "
        "number. Use the account name of the sign-on server.",
    )
    PERSON_NAME = (
        "person_name",
        "人员须有姓名，不超过100字。请补充姓名。",
        "A person has a name of at most 100 characters. Add the name.",
    )
    PERSON_PLACE = (
        "person_place",
        "人员须在本院的部门内，或在本院所属辖区内。请更正部门。",
        "A person sits in a unit of their own court, or in a region above it. Correct the unit.",
    )
    ROLE_PLACE = (
        "role_place",
        "角色与部门级别不符：区域管理员在辖区，中心管理员在中心，组长在组，三员在法院本级。请更正部门或角色。",
        "The role does not fit the kind of unit: a region's administrator sits in the region, a centre's in the "
        "centre, a leader in the group, the three separate administrators at the court itself. Correct one of them.",
    )
    ROLES_SEPARATED = (
        "roles_separated",
        "系统管理员、安全管理员、审计管理员互斥，且不得兼任其他角色。请由不同人员分别担任。",
        "System, security and audit administrator are three different people who hold no other role. Name another "
        "person for one of the roles.",
    )
    INACTIVE_ROLES = (
        "inactive_roles",
        "停用的账号不得保留角色。请删除角色，或启用账号。",
        "An account that is switched off keeps no role. Leave the roles out, or switch the account on.",
    )
    PARTICULARS = (
        "particulars",
        "承办人信息有误：公民身份号码、统一社会信用代码、单位名称和终端均须正确填写，或全部不填。请更正。",
        "The official's particulars are wrong: identity number, the unit's social credit code and name, and the "
        "terminal are all given and correct, or all left out. Correct them.",
    )
    DUPLICATE = (
        "duplicate",
        "同一部门或人员出现多次。请合并为一行。",
        "The same unit or person stands there more than once. Keep one of them.",
    )
    ROW_FORM = (
        "row_form",
        "该行缺少字段、有多余字段或值不符。请对照 docs/organization.md 更正。",
        "The row lacks a member, has one too many, or a value of the wrong form. Compare it with docs/organization.md.",
    )
    ENCODING = (
        "encoding",
        "文件不是所述格式的UTF-8文本。请另存为UTF-8。",
        "The file is not UTF-8 text of its form. Save it as UTF-8.",
    )
